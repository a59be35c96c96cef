@NullMarked
package qtfs.linux;

import org.jspecify.annotations.NullMarked;
