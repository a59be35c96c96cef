@NullMarked
package qtfs.udsproxy;

import org.jspecify.annotations.NullMarked;
