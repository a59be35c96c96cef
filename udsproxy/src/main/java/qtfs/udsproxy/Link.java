package qtfs.udsproxy;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import java.util.Collection;

/**
 * A connection between the two proxies at the point where its frames begin. Whoever is given it
 * owns the channel and the buffers.
 *
 * @param early what the other side has already sent of its frames
 * @param ended whether the other side has already ended its stream
 */
record Link(Channel tcp, Dialect dialect, Collection<ByteBuf> early, boolean ended) {}
