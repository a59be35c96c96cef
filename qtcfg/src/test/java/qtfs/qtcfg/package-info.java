@NullMarked
package qtfs.qtcfg;

import org.jspecify.annotations.NullMarked;
