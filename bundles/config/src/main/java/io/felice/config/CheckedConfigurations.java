package io.felice.config;

import io.felice.api.Launch;
import java.io.IOException;
import java.util.Dictionary;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.osgi.framework.BundleContext;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.cm.Configuration;
import org.osgi.service.cm.ConfigurationAdmin;
import org.osgi.service.cm.ConfigurationListener;
import org.osgi.service.cm.ConfigurationPlugin;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Registers the check of configurations with Configuration Admin, which calls it before a component gets a
 * configuration.
 *
 * <p>A refresh of the bundle api may start other components before this one. They got their configurations unchecked.
 * So this component delivers each configuration that has a mistake once more, through the check.
 */
@Component(
        immediate = true,
        service = {})
public final class CheckedConfigurations {
    private static final Logger log = LoggerFactory.getLogger(ConfigurationCheck.class);

    private final ConfigurationAdmin admin;
    private final ServiceRegistration<?> registration;

    @Activate
    public CheckedConfigurations(BundleContext context, @Reference ConfigurationAdmin admin) {
        this.admin = admin;
        Map<String, Map<String, Object>> lastGood = Kept.lastGood(context);
        boolean isFirst = lastGood.isEmpty();
        ConfigurationCheck check = new ConfigurationCheck(
                new Descriptors(context), this::properties, lastGood, Launch::hasServed, Launch::failed, log::warn);
        registration = context.registerService(
                new String[] {ConfigurationPlugin.class.getName(), ConfigurationListener.class.getName()},
                check,
                FrameworkUtil.asDictionary(Map.of(ConfigurationPlugin.CM_RANKING, 900)));
        if (!isFirst) {
            all().stream()
                    .filter(each -> check.findsMistakes(each.getProperties()))
                    .forEach(this::handOutAgain);
        }
    }

    private List<Dictionary<String, Object>> properties() {
        return ours().stream().map(Configuration::getProperties).toList();
    }

    private List<Configuration> ours() {
        return all().stream().filter(each -> Descriptors.isOurs(each.getPid())).toList();
    }

    private List<Configuration> all() {
        try {
            return Stream.ofNullable(admin.listConfigurations(null))
                    .flatMap(Stream::of)
                    .filter(each -> Objects.nonNull(each.getProperties()))
                    .toList();
        } catch (IOException | InvalidSyntaxException | IllegalStateException unreadable) {
            log.warn(
                    "The configurations cannot be listed, so mistakes in some files are not reported: {}",
                    unreadable.toString());
            return List.of();
        }
    }

    private void handOutAgain(Configuration configuration) {
        try {
            configuration.update(configuration.getProperties());
        } catch (IOException | IllegalStateException failure) {
            log.warn(
                    "The configuration {} has a mistake and cannot be delivered again, so its component keeps the"
                            + " mistake: {}",
                    configuration.getPid(),
                    failure.toString());
        }
    }

    @Deactivate
    public void close() {
        registration.unregister();
    }
}
