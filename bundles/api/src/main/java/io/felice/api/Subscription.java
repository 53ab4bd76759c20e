package io.felice.api;

import org.osgi.annotation.versioning.ConsumerType;

/** The registration of a listener: {@link #close} ends the calls. It may be called twice, never throws and never blocks. */
@ConsumerType
public interface Subscription extends AutoCloseable {
    @Override
    void close();
}
