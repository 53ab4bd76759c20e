package io.felice.api.status;

import java.util.List;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * Reports whether a part of the node serves. Register it as a service. {@code felice status} prints the troubles of all
 * sources; its exit code says whether the node serves, serves in part, or does not serve.
 */
@ConsumerType
public interface HealthSource {
    /**
     * The reasons why this part does not serve now. Called on any thread, several times a second; must be cheap and
     * must not block.
     *
     * @return empty if this part serves
     */
    List<Trouble> troubles();
}
