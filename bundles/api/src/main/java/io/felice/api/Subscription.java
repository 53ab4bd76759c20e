package io.felice.api;

import org.osgi.annotation.versioning.ConsumerType;

/** What a caller closes to stop being called back. {@link #close} may be called twice; it never throws and never blocks. */
@ConsumerType
public interface Subscription extends AutoCloseable {
    @Override
    void close();
}
