package qtfs.rexec;

/**
 * A regular file that the client was started with, to be opened for the program on the other host.
 *
 * @param number the descriptor's, above 2
 * @param path absolute
 * @param flags access mode and flags, {@code F_GETFL}
 * @param offset position in bytes, not negative
 */
record InheritedFile(int number, String path, int flags, long offset) {}
