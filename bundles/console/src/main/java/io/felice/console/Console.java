package io.felice.console;

import io.felice.api.status.HealthSource;
import io.felice.api.status.Trouble;
import io.felice.console.access.Guard;
import io.felice.console.access.SessionState;
import jakarta.servlet.Servlet;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Dictionary;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.felix.webconsole.spi.SecurityProvider;
import org.osgi.framework.BundleContext;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.cm.ConfigurationAdmin;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.servlet.context.ServletContextHelper;
import org.osgi.service.servlet.whiteboard.Preprocessor;

/** Puts the parts of the console together, and registers them with the HTTP server. */
@Component(
        immediate = true,
        configurationPid = "io.felice.console",
        service = {})
@Designate(ocd = ConsoleSettings.class)
public final class Console implements HealthSource {
    private static final String SELECT = "osgi.http.whiteboard.context.select";
    private static final String CONTEXT = "osgi.http.whiteboard.context.";
    private static final String SERVLET = "osgi.http.whiteboard.servlet.";

    private final BundleContext context;
    private final TrackedServices services;
    private final HttpServer server;
    private final ConsoleApi api;
    private final Guard guard;
    private final List<ServiceRegistration<?>> registrations = new ArrayList<>();
    private volatile ConsoleSettings settings;

    @Activate
    public Console(BundleContext context, @Reference ConfigurationAdmin configurations, ConsoleSettings settings) {
        this.context = context;
        this.settings = settings;
        services = new TrackedServices(context);
        guard = new Guard(ConsoleApi.origins(settings), settings.upload_max_bytes());
        api = new ConsoleApi(
                services,
                SessionState.ofProcess(context),
                () -> this.settings,
                context.getBundle().getVersion().toString(),
                Optional.ofNullable(System.getProperty("felice.data")).map(Path::of));
        server = new HttpServer(context, configurations, services, settings);
        register(Preprocessor.class, guard, Map.of());
        context("api", "/api");
        servlet("api", "/v1/*", api.servlet());
        context("metrics", "/metrics");
        servlet("metrics", "/*", api.metrics());
        context("health", "/health");
        servlet("health", "/*", api.health());
        register(
                SecurityProvider.class,
                api.platformLogin(),
                Map.of("webconsole.security.provider.id", PlatformLogin.ID));
        register(HealthSource.class, this, Map.of());
    }

    @Modified
    void modified(ConsoleSettings changed) {
        settings = changed;
        guard.limit(ConsoleApi.origins(changed), changed.upload_max_bytes());
        api.modified(changed);
        server.modified(changed);
    }

    @Deactivate
    public void close() {
        registrations.forEach(ServiceRegistration::unregister);
        api.close();
        server.close();
        services.close();
    }

    private void context(String name, String path) {
        register(
                ServletContextHelper.class,
                new ServletContextHelper() {},
                Map.of(CONTEXT + "name", "io.felice.console." + name, CONTEXT + "path", path));
    }

    private void servlet(String name, String pattern, Servlet servlet) {
        register(
                Servlet.class,
                servlet,
                Map.of(
                        SERVLET + "name",
                        "Felice console: " + name,
                        SERVLET + "pattern",
                        pattern,
                        SERVLET + "asyncSupported",
                        true,
                        SELECT,
                        "(" + CONTEXT + "name=io.felice.console." + name + ")"));
    }

    private <T> void register(Class<T> type, T service, Map<String, ?> properties) {
        Dictionary<String, Object> dictionary = FrameworkUtil.asDictionary(new HashMap<>(properties));
        registrations.add(context.registerService(type, service, dictionary));
    }

    @Override
    public List<Trouble> troubles() {
        return server.troubles();
    }
}
