@NullMarked
package qtfs.udsproxy.connector;

import org.jspecify.annotations.NullMarked;
