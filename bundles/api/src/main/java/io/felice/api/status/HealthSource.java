package io.felice.api.status;

import java.util.List;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * Says whether a part of the node serves. Register it as a service: {@code felice status} prints the reasons of every
 * source, and its exit code says whether the node serves, serves in part, or does not serve.
 */
@ConsumerType
public interface HealthSource {
    /**
     * What this part cannot do now. Called from any thread, several times a second; it must be cheap and must not block.
     *
     * @return empty if this part serves
     */
    List<Trouble> troubles();
}
