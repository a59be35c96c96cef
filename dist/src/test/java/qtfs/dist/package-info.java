/** The acceptance tests: the installed programs as black boxes on two hosts. */
@NullMarked
package qtfs.dist;

import org.jspecify.annotations.NullMarked;
