package io.felice.api.status;

import java.util.List;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * Contributes tables of numbers. Register it as a service; the shell, the console and the metrics show whatever is
 * registered, and tests assert on it.
 */
@ConsumerType
public interface StatusSource {
    /**
     * The tables as they are now. Called from any thread, possibly often; it must be cheap and must not block.
     *
     * @return at least one table, each with a name that stays the same from call to call
     */
    List<StatusTable> tables();
}
