/**
 * What daemons show of themselves to Prometheus, whatever serves it: the page of a scrape, what is
 * on it of any process, and the little of HTTP that a scrape needs. Knows neither the proxy nor
 * Netty.
 */
@NullMarked
package qtfs.udsproxy.metrics;

import org.jspecify.annotations.NullMarked;
