/**
 * The Linux system calls that the Java platform does not offer, and the ownership of the file
 * descriptors that they make. No other module calls native code.
 *
 * <p>Byte layouts are those of 64-bit Linux with glibc, the same on x86-64 and aarch64.
 */
@NullMarked
package qtfs.linux;

import org.jspecify.annotations.NullMarked;
