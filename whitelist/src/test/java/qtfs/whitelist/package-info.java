@NullMarked
package qtfs.whitelist;

import org.jspecify.annotations.NullMarked;
