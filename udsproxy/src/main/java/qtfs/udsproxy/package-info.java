/**
 * The proxy: connects a unix socket on one host to its server on the other, with the bytes and the
 * descriptors that are passed along with them.
 *
 * <p>Everything that belongs to one connection happens on one event loop thread, named {@code
 * udsproxyd}; what several loops share says so.
 */
@NullMarked
package qtfs.udsproxy;

import org.jspecify.annotations.NullMarked;
