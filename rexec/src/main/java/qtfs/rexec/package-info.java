/**
 * {@code rexec}, which runs a program on the other host as if it ran here, and {@code
 * rexec_server}, which starts it there.
 *
 * <p>What the client does on its usual way (everything but errors, options and inherited files)
 * stays away from lambdas, streams, regular expressions and pattern switches: each costs the
 * start-up of a JVM that lives for 50 ms.
 */
@NullMarked
package qtfs.rexec;

import org.jspecify.annotations.NullMarked;
