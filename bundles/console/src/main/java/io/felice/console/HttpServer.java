package io.felice.console;

import io.felice.api.Launch;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.security.Users;
import io.felice.api.status.Trouble;
import java.io.IOException;
import java.util.Collections;
import java.util.Dictionary;
import java.util.Hashtable;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceReference;
import org.osgi.service.cm.Configuration;
import org.osgi.service.cm.ConfigurationAdmin;
import org.osgi.service.servlet.runtime.HttpServiceRuntime;
import org.osgi.util.tracker.ServiceTracker;
import org.osgi.util.tracker.ServiceTrackerCustomizer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Configures the HTTP server by the settings of the console, and knows where it listens. Without a configuration the server
 * does not listen (etc/custom.properties).
 */
final class HttpServer implements ServiceTrackerCustomizer<HttpServiceRuntime, HttpServiceRuntime> {
    private static final Logger log = LoggerFactory.getLogger(HttpServer.class);
    private static final String PID = "org.apache.felix.http";
    private static final String ENDPOINTS = "osgi.http.endpoint";
    /** A system property, so that an updated bundle does not log the same code again; it has a digest of the code only. */
    private static final String TOLD = "felice.console.told";

    private static final int LOOK_EVERY_MS = 100;

    private final BundleContext context;
    private final ConfigurationAdmin configurations;
    private final NodeServices services;
    private final ServiceTracker<HttpServiceRuntime, HttpServiceRuntime> runtime;
    private final ScheduledExecutorService thread = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "felice-console-server");
        thread.setDaemon(true);
        return thread;
    });
    private volatile ConsoleSettings settings;
    private volatile String address;
    /** True once it is known whether there is a code for the first user, and the log has it. */
    private volatile boolean isCodeTold;

    HttpServer(
            BundleContext context, ConfigurationAdmin configurations, NodeServices services, ConsoleSettings settings) {
        this.context = context;
        this.configurations = configurations;
        this.services = services;
        this.settings = settings;
        runtime = new ServiceTracker<>(context, HttpServiceRuntime.class, this);
        thread.execute(this::configure);
        thread.execute(runtime::open);
        thread.execute(this::tellCode);
    }

    /** Waits until this node has read who its users are, and logs the code for the first one if there is none. */
    private void tellCode() {
        Optional<ClusterMetadata> metadata = services.find(ClusterMetadata.class);
        boolean isKnown =
                metadata.filter(found -> found.view().broker(found.brokerId()).isPresent())
                                .isPresent()
                        && services.find(Users.class).isPresent();
        if (!isKnown) {
            thread.schedule(this::tellCode, LOOK_EVERY_MS, TimeUnit.MILLISECONDS);
            return;
        }
        services.find(Users.class)
                .flatMap(Users::setupCode)
                .filter(code -> settings.port() >= 0
                        && !Integer.toString(code.hashCode()).equals(System.getProperty(TOLD)))
                .ifPresent(code -> {
                    System.setProperty(TOLD, Integer.toString(code.hashCode()));
                    log.info("The console has no user yet; its one-time code is {}", code);
                });
        isCodeTold = true;
    }

    void modified(ConsoleSettings changed) {
        settings = changed;
        thread.execute(this::configure);
    }

    void close() {
        thread.shutdownNow();
        runtime.close();
        Launch.console(null);
    }

    private void configure() {
        try {
            Configuration configuration = configurations.getConfiguration(PID, null);
            Dictionary<String, Object> wanted = properties(settings);
            if (!isSame(configuration.getProperties(), wanted)) {
                configuration.update(wanted);
            }
        } catch (IOException | IllegalStateException failure) {
            log.error("The HTTP server cannot be configured, so the console is not reachable: {}", failure.toString());
        }
    }

    private static Dictionary<String, Object> properties(ConsoleSettings settings) {
        Dictionary<String, Object> server = new Hashtable<>();
        boolean isTls = !settings.tls_keystore().isEmpty();
        boolean isOn = settings.port() >= 0;
        server.put("org.apache.felix.http.host", settings.host().isEmpty() ? "0.0.0.0" : settings.host());
        server.put("org.apache.felix.http.enable", isOn && !isTls);
        server.put("org.osgi.service.http.port", Math.max(settings.port(), 0));
        server.put("org.apache.felix.https.enable", isOn && isTls);
        if (isTls) {
            server.put("org.osgi.service.http.port.secure", Math.max(settings.port(), 0));
            server.put("org.apache.felix.https.keystore", settings.tls_keystore());
            server.put("org.apache.felix.https.keystore.password", settings.tls_keystore_password());
            server.put("org.apache.felix.https.jetty.protocols.included", "TLSv1.2,TLSv1.3");
        }
        server.put("org.apache.felix.http.jetty.sendServerHeader", false);
        server.put("org.apache.felix.http.jetty.threadpool.max", 32);
        server.put("org.apache.felix.http.jetty.acceptors", 1);
        server.put("org.apache.felix.http.jetty.selectors", 1);
        server.put("org.apache.felix.http.timeout", 60_000);
        server.put("org.apache.felix.http.jetty.headerBufferSize", 16_384);
        server.put("org.apache.felix.http.mbeans", false);
        return server;
    }

    private static boolean isSame(Dictionary<String, Object> now, Dictionary<String, Object> wanted) {
        if (now == null) {
            return false;
        }
        for (String key : Collections.list(wanted.keys())) {
            if (!wanted.get(key).equals(now.get(key))) {
                return false;
            }
        }
        return true;
    }

    @Override
    public HttpServiceRuntime addingService(ServiceReference<HttpServiceRuntime> reference) {
        look(reference);
        return context.getService(reference);
    }

    @Override
    public void modifiedService(ServiceReference<HttpServiceRuntime> reference, HttpServiceRuntime service) {
        look(reference);
    }

    @Override
    public void removedService(ServiceReference<HttpServiceRuntime> reference, HttpServiceRuntime service) {
        context.ungetService(reference);
        found(null);
    }

    private void look(ServiceReference<HttpServiceRuntime> reference) {
        found(List.of(texts(reference.getProperty(ENDPOINTS))).stream()
                .filter(each -> each.startsWith("http"))
                .findFirst()
                .orElse(null));
    }

    private static String[] texts(Object property) {
        if (property instanceof String[] several) {
            return several;
        }
        return property == null ? new String[0] : new String[] {property.toString()};
    }

    private void found(String url) {
        if (url != null && !url.equals(address)) {
            log.info("The console is at {}", url);
        }
        address = url;
        Launch.console(url);
    }

    List<Trouble> troubles() {
        if (settings.port() < 0 || (address != null && isCodeTold)) {
            return List.of();
        }
        return List.of(Trouble.inPart("The console is not reachable at port " + settings.port()
                + ": it starts, or another process has the port. Another port: --console-port PORT"));
    }
}
