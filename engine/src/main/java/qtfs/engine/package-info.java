/**
 * The program {@code engine}: lends the server's kernel module the process whose threads and
 * descriptors it works with, gives it its whitelist, and has the proxy of unix sockets inside.
 */
@NullMarked
package qtfs.engine;

import org.jspecify.annotations.NullMarked;
