package io.felice.api.status;

import java.util.List;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * Provides tables of numbers. Register it as a service. The shell, the console and the metrics show the tables of all
 * registered sources.
 */
@ConsumerType
public interface StatusSource {
    /**
     * The tables with the values of this moment. Called on any thread, possibly often; must be cheap and must not
     * block.
     *
     * @return at least one table; the names of the tables are the same in every call
     */
    List<StatusTable> tables();
}
