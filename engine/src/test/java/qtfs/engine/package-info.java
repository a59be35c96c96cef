@NullMarked
package qtfs.engine;

import org.jspecify.annotations.NullMarked;
