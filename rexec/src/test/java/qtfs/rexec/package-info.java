@NullMarked
package qtfs.rexec;

import org.jspecify.annotations.NullMarked;
