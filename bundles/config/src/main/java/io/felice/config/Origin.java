package io.felice.config;

import java.net.URI;
import java.nio.file.Path;
import java.util.Dictionary;
import org.osgi.framework.Constants;

/** The file and the PID of a configuration. */
final class Origin {
    private static final String FACTORY_PID = "service.factoryPid";

    private Origin() {}

    /** Empty if the configuration has no PID. */
    static String pid(Dictionary<String, Object> configuration) {
        Object pid = configuration.get(Constants.SERVICE_PID);
        return pid == null ? "" : pid.toString();
    }

    /** Which settings a configuration has: its PID, or the factory PID of one of several. */
    static String kind(Dictionary<String, Object> configuration) {
        Object factory = configuration.get(FACTORY_PID);
        return factory == null ? pid(configuration) : factory.toString();
    }

    /** The file, or the PID if the configuration is not from a file. */
    static String file(Dictionary<String, Object> configuration) {
        Object file = configuration.get("felix.fileinstall.filename");
        try {
            return file == null
                    ? pid(configuration)
                    : Path.of(URI.create(file.toString())).toString();
        } catch (IllegalArgumentException noFile) {
            return pid(configuration);
        }
    }
}
