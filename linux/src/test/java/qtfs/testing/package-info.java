/**
 * What the tests of more than one module use: every module has it as a test dependency, the image
 * does not.
 */
@NullMarked
package qtfs.testing;

import org.jspecify.annotations.NullMarked;
