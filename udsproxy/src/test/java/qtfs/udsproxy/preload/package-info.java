/** The preload library, with programs in C as its applications. */
@NullMarked
package qtfs.udsproxy.preload;

import org.jspecify.annotations.NullMarked;
