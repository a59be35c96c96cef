/**
 * The two files that say what a peer may do: {@code /etc/qtfs/whitelist} and {@code
 * /etc/rexec/whitelist}. Every object here is immutable once loaded and safe from any thread.
 */
@NullMarked
package qtfs.whitelist;

import org.jspecify.annotations.NullMarked;
