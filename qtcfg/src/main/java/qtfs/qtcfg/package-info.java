/**
 * The kernel modules' devices, {@code /dev/qtfs_client} and {@code /dev/qtfs_server}, and the two
 * programs that ask and tell them things: {@code qtcfg} and {@code qtinfo}.
 *
 * <p>Paths of the kernel's lists are byte strings ({@link qtfs.linux.ByteStrings}): what a module
 * holds need not be text.
 */
@NullMarked
package qtfs.qtcfg;

import org.jspecify.annotations.NullMarked;
