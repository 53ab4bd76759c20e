package io.felice.api;

import org.osgi.annotation.versioning.ConsumerType;

/**
 * The registration of a listener. {@link #close} ends the calls of the listener. Any thread may call {@code close},
 * more than once; it never throws and never blocks. A call that is under way on another thread may end after {@code
 * close}.
 */
@ConsumerType
public interface Subscription extends AutoCloseable {
    @Override
    void close();
}
