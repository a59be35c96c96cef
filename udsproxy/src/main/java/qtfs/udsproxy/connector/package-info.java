/**
 * How a JVM program connects to a unix socket that may be on the other host: {@link
 * qtfs.udsproxy.connector.RemoteConnector}. Start-up time of the callers counts, so nothing here
 * needs more than {@code qtfs.linux}.
 */
@NullMarked
package qtfs.udsproxy.connector;

import org.jspecify.annotations.NullMarked;
