package io.felice.handlers;

import io.felice.api.ErrorCode;
import io.felice.api.log.Loggers;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.regex.Pattern;
import org.apache.kafka.common.message.DescribeConfigsResponseData.DescribeConfigsResourceResult;
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData.AlterableConfig;

/** The log levels of this node, shown and changed as configs of Kafka's resource type BROKER_LOGGER (KIP-412). */
final class BrokerLoggers {
    static final byte RESOURCE_TYPE = 8;

    private static final byte DYNAMIC_BROKER_LOGGER = 6;
    private static final byte SET = 0;
    private static final byte DELETE = 1;
    private static final int MAX_NAME_LENGTH = 500;
    private static final Pattern NAME = Pattern.compile("[a-zA-Z0-9_$.-]+");

    private final Loggers loggers;

    /** @param loggers null if no bundle of this node sets log levels */
    BrokerLoggers(Loggers loggers) {
        this.loggers = loggers;
    }

    /**
     * The levels of the loggers.
     *
     * @param keys the loggers; null or empty for all
     * @throws io.felice.api.FeliceException INVALID_REQUEST if the resource is not this broker, or log levels cannot be set
     *     on this node
     */
    List<DescribeConfigsResourceResult> describe(String resource, int brokerId, List<String> keys) {
        check(resource, brokerId);
        return new TreeMap<>(loggers.levels())
                .entrySet().stream()
                        .filter(logger -> keys == null || keys.isEmpty() || keys.contains(logger.getKey()))
                        .map(logger -> new DescribeConfigsResourceResult()
                                .setName(logger.getKey())
                                .setValue(logger.getValue())
                                .setConfigSource(DYNAMIC_BROKER_LOGGER))
                        .toList();
    }

    /** @throws io.felice.api.FeliceException INVALID_REQUEST, INVALID_CONFIG */
    CompletionStage<Void> change(
            String resource, int brokerId, Collection<AlterableConfig> changes, boolean validateOnly) {
        check(resource, brokerId);
        Map<String, Optional<String>> levels = new HashMap<>();
        for (AlterableConfig change : changes) {
            if (levels.put(change.name(), level(change)) != null) {
                throw ErrorCode.INVALID_REQUEST.because("Error due to duplicate config keys");
            }
        }
        return validateOnly ? CompletableFuture.completedFuture(null) : loggers.change(levels);
    }

    private void check(String resource, int brokerId) {
        if (!resource.equals(Integer.toString(brokerId))) {
            throw ErrorCode.INVALID_REQUEST.because(
                    "Unexpected broker id, expected " + brokerId + " but received '" + resource + "'");
        }
        if (loggers == null) {
            throw ErrorCode.INVALID_REQUEST.because(
                    "No bundle of this node sets log levels: the bundle io.felice.shell is not active");
        }
    }

    private static Optional<String> level(AlterableConfig change) {
        String logger = change.name();
        if (logger.length() > MAX_NAME_LENGTH || !NAME.matcher(logger).matches()) {
            throw ErrorCode.INVALID_CONFIG.because("Logger " + logger + " does not exist!");
        }
        return switch (change.configOperation()) {
            case SET -> Optional.of(legal(logger, change.value()));
            case DELETE -> {
                if (logger.equals(Loggers.ROOT)) {
                    throw ErrorCode.INVALID_REQUEST.because("Removing the log level of the root logger is not allowed");
                }
                yield Optional.empty();
            }
            default -> throw ErrorCode.INVALID_REQUEST.because("Operation type " + change.configOperation()
                    + " is not allowed for the BROKER_LOGGER resource: a level is set or deleted");
        };
    }

    private static String legal(String logger, String level) {
        if (level == null) {
            throw ErrorCode.INVALID_REQUEST.because("Null value not supported for : " + logger);
        }
        if (!Loggers.LEVELS.contains(level)) {
            throw ErrorCode.INVALID_CONFIG.because("Cannot set the log level of " + logger + " to " + level
                    + " as it is not a supported log level. Valid log levels are "
                    + String.join(", ", Loggers.LEVELS));
        }
        return level;
    }
}
