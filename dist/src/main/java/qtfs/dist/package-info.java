/** What the build runs to finish the install image. */
@NullMarked
package qtfs.dist;

import org.jspecify.annotations.NullMarked;
