package io.felice.plugins;

import static io.felice.api.ErrorCode.INVALID_REQUEST;

import io.felice.api.FeliceException;
import io.felice.api.FoldedErrors;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.config.Configs;
import io.felice.api.plugin.Plugin;
import io.felice.api.plugin.PluginCheck;
import io.felice.api.plugin.PluginWork;
import io.felice.api.plugin.Plugins;
import io.felice.api.status.HealthSource;
import io.felice.api.status.StatusSource;
import io.felice.api.status.StatusTable;
import io.felice.api.status.Trouble;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.ServiceRegistration;
import org.osgi.framework.hooks.bundle.CollisionHook;
import org.osgi.framework.hooks.resolver.ResolverHookFactory;
import org.osgi.service.cm.ConfigurationAdmin;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.runtime.ServiceComponentRuntime;
import org.osgi.service.metatype.annotations.Designate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The plugins of the directory {@code plugins/}: looks at it every second, and changes it for who asks. All changes are made
 * on one thread of this component, which waits for code of plugins within limits.
 */
@Component(configurationPid = "io.felice.plugins", immediate = true)
@Designate(ocd = PluginSettings.class)
public final class DirectoryPlugins implements Plugins, HealthSource, StatusSource {
    private static final Logger log = LoggerFactory.getLogger(DirectoryPlugins.class);
    private static final FoldedErrors errors = new FoldedErrors(log);

    /** Below the start levels of Felice's bundles, so that a node that stops stops its plugins last. */
    private static final int START_LEVEL = 54;

    private static final long LEAVE_SECONDS = 5;

    private final ScheduledExecutorService thread =
            Executors.newSingleThreadScheduledExecutor(DirectoryPlugins::thread);
    private final AtomicReference<ClusterMetadata> metadata = new AtomicReference<>();
    private final AtomicReference<Configs> configs = new AtomicReference<>();
    private final PluginKeeper keeper;
    private final PluginOrders orders;
    private final StopDeadline deadline;
    private final List<ServiceRegistration<?>> hooks;
    private final PluginStatus status = new PluginStatus(System::currentTimeMillis);
    private volatile List<Plugin> plugins = List.of();
    private volatile List<Trouble> troubles = List.of(Trouble.inPart("The plugins are being started"));

    @Activate
    public DirectoryPlugins(
            BundleContext context,
            @Reference ServiceComponentRuntime components,
            @Reference ConfigurationAdmin settingsOfNode,
            PluginSettings settings) {
        this(context, components, settingsOfNode, settings, null);
    }

    /** @param use who uses extensions; null for the topics and settings of this node */
    DirectoryPlugins(
            BundleContext context,
            ServiceComponentRuntime components,
            ConfigurationAdmin settingsOfNode,
            PluginSettings settings,
            PluginUse use) {
        hooks = isolate(context);
        keeper = new PluginKeeper(
                Path.of(settings.directory()).toAbsolutePath().normalize(),
                new PluginBundles(context, START_LEVEL),
                new ComponentHealth(context, components),
                use != null ? use : useOfNode(settingsOfNode),
                limits(settings),
                System::currentTimeMillis);
        orders = new PluginOrders(keeper, this::look);
        deadline = new StopDeadline(context, settings.stop_ms());
        deadline.begin();
        thread.execute(this::begin);
        thread.scheduleWithFixedDelay(() -> look(null), 0, settings.poll_ms(), TimeUnit.MILLISECONDS);
    }

    private PluginUse useOfNode(ConfigurationAdmin settingsOfNode) {
        return new NodeUse(
                () -> Optional.ofNullable(metadata.get()), () -> Optional.ofNullable(configs.get()), settingsOfNode);
    }

    private static Thread thread(Runnable task) {
        Thread thread = new Thread(task, "felice-plugins");
        thread.setDaemon(true);
        return thread;
    }

    private static List<ServiceRegistration<?>> isolate(BundleContext context) {
        PluginIsolation isolation = new PluginIsolation();
        return List.of(
                context.registerService(ResolverHookFactory.class, isolation, null),
                context.registerService(CollisionHook.class, isolation, null));
    }

    private static PluginKeeper.Limits limits(PluginSettings settings) {
        TrustedSigners trusted = TrustedSigners.none();
        String problem = "";
        if (!settings.trusted_certificates().isBlank()) {
            try {
                trusted = TrustedSigners.of(
                        Path.of(settings.trusted_certificates().trim()));
            } catch (IOException unreadable) {
                problem = "No signature of a plugin is trusted, because trusted.certificates = "
                        + settings.trusted_certificates() + " of etc/io.felice.plugins.cfg cannot be read: "
                        + unreadable.getMessage();
                log.error("{}", problem);
            }
        }
        return new PluginKeeper.Limits(
                Duration.ofMillis(settings.patience_ms()),
                settings.max_file_bytes(),
                settings.max_unpacked_bytes(),
                trusted,
                settings.signature_required(),
                problem);
    }

    @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC)
    public void bindMetadata(ClusterMetadata offered) {
        metadata.set(offered);
    }

    public void unbindMetadata(ClusterMetadata gone) {
        metadata.compareAndSet(gone, null);
    }

    @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC)
    public void bindConfigs(Configs offered) {
        configs.set(offered);
    }

    public void unbindConfigs(Configs gone) {
        configs.compareAndSet(gone, null);
    }

    /** The directory and the period are those of the start. */
    @Modified
    void modified(PluginSettings settings) {
        deadline.set(settings.stop_ms());
        thread.execute(() -> keeper.limit(limits(settings)));
    }

    /** The plugins go on: another version of this bundle takes them over. */
    @Deactivate
    public void close() {
        deadline.end();
        thread.shutdown();
        try {
            if (!thread.awaitTermination(LEAVE_SECONDS, TimeUnit.SECONDS)) {
                log.warn("A change of a plugin still goes on after {} seconds", LEAVE_SECONDS);
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
        hooks.forEach(ServiceRegistration::unregister);
    }

    // ---- what is there ----

    @Override
    public List<Plugin> list() {
        return plugins;
    }

    @Override
    public List<Trouble> troubles() {
        return troubles;
    }

    @Override
    public List<StatusTable> tables() {
        return status.tables();
    }

    private void begin() {
        try {
            keeper.begin();
        } catch (IOException | BundleException | RuntimeException failure) {
            errors.error("The plugins that ran before cannot be taken over", failure);
        }
    }

    private void look(Path whole) {
        try {
            keeper.look(whole);
            troubles = keeper.troubles().stream().map(Trouble::inPart).toList();
            plugins = keeper.list();
            status.update(plugins, keeper.kept().count());
        } catch (IOException | RuntimeException failure) {
            troubles = List.of(Trouble.inPart(
                    "The directory of the plugins, " + keeper.directory().path() + ", cannot be kept: " + failure));
            errors.error("The directory of the plugins, " + keeper.directory().path() + ", cannot be kept", failure);
        }
    }

    @Override
    public PluginCheck check(Path file) {
        CompletableFuture<PluginCheck> answer = new CompletableFuture<>();
        thread.execute(() -> {
            try {
                answer.complete(orders.check(file));
            } catch (RuntimeException failure) {
                answer.completeExceptionally(failure);
            }
        });
        try {
            return answer.get();
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
            throw new CancellationException("the check was interrupted");
        } catch (ExecutionException failure) {
            throw FeliceException.unwrap(failure) instanceof RuntimeException bare
                    ? bare
                    : new IllegalStateException(failure);
        }
    }

    // ---- changes ----

    private PluginWork begin(Callable<String> change) {
        StartedWork work = new StartedWork();
        try {
            thread.execute(() -> {
                keeper.report(work::reach);
                try {
                    work.succeed(change.call());
                } catch (IOException failure) {
                    work.fail(INVALID_REQUEST.because(
                            "The directory " + keeper.directory().path() + " cannot be changed: " + failure));
                } catch (Exception failure) {
                    work.fail(failure);
                } finally {
                    keeper.report(ignored -> {});
                }
            });
        } catch (RejectedExecutionException closed) {
            work.fail(INVALID_REQUEST.because("The bundle io.felice.plugins is being stopped."));
        }
        return work;
    }

    @Override
    public PluginWork install(Path file) {
        return begin(() -> orders.install(file));
    }

    @Override
    public PluginWork upgrade(String name, Path file) {
        return begin(() -> orders.upgrade(name, file));
    }

    @Override
    public PluginWork rollback(String name) {
        return begin(() -> orders.rollback(name));
    }

    @Override
    public PluginWork disable(String name) {
        return begin(() -> orders.disable(name));
    }

    @Override
    public PluginWork enable(String name) {
        return begin(() -> orders.enable(name));
    }

    @Override
    public PluginWork remove(String name) {
        return begin(() -> orders.remove(name));
    }
}
