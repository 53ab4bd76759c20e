package io.felice.plugins;

import io.felice.api.plugin.Plugin.State;
import java.lang.reflect.InvocationTargetException;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.ServiceReference;
import org.osgi.service.component.runtime.ServiceComponentRuntime;
import org.osgi.service.component.runtime.dto.ComponentConfigurationDTO;
import org.osgi.service.component.runtime.dto.ComponentDescriptionDTO;
import org.osgi.service.component.runtime.dto.ReferenceDTO;
import org.osgi.service.component.runtime.dto.UnsatisfiedReferenceDTO;

/** Asks Declarative Services how the components of plugins are. Any thread. */
record ComponentHealth(BundleContext context, ServiceComponentRuntime runtime) {

    /** @param sentence the state in words */
    record Condition(State state, String sentence) {
        static final Condition GOOD = new Condition(State.RUNS, "runs");
    }

    /**
     * Has Declarative Services make the components whose services the node would use, so that it is known now whether they
     * can be made. Runs code of the plugin and may hang.
     */
    void activate(Collection<Bundle> bundles) {
        for (Bundle bundle : bundles) {
            ServiceReference<?>[] services = bundle.getRegisteredServices();
            if (services == null) {
                continue;
            }
            for (ServiceReference<?> service : services) {
                if (isExtension(service)) {
                    context.getService(service);
                }
            }
        }
    }

    private static boolean isExtension(ServiceReference<?> service) {
        return Arrays.stream((String[]) service.getProperty(Constants.OBJECTCLASS))
                .anyMatch(ExtensionKinds::isExtension);
    }

    /** The worst of what the components of these bundles have. */
    Condition of(Collection<Bundle> bundles) {
        Set<String> failures = new LinkedHashSet<>();
        Set<String> waits = new LinkedHashSet<>();
        Bundle[] all = bundles.toArray(new Bundle[0]);
        for (ComponentDescriptionDTO component : runtime.getComponentDescriptionDTOs(all)) {
            Collection<ComponentConfigurationDTO> configurations = runtime.getComponentConfigurationDTOs(component);
            if (configurations.isEmpty() && "require".equals(component.configurationPolicy)) {
                waits.add("configuration " + String.join(" and ", component.configurationPid));
            }
            for (ComponentConfigurationDTO configuration : configurations) {
                look(component, configuration, failures, waits);
            }
        }
        if (!failures.isEmpty()) {
            return new Condition(State.FAILS, "fails: " + String.join("; ", failures));
        }
        return waits.isEmpty()
                ? Condition.GOOD
                : new Condition(State.WAITS, "waits for " + String.join(" and ", waits));
    }

    private static void look(
            ComponentDescriptionDTO component,
            ComponentConfigurationDTO configuration,
            Set<String> failures,
            Set<String> waits) {
        switch (configuration.state) {
            case ComponentConfigurationDTO.FAILED_ACTIVATION -> failures.add("its component " + component.name
                    + " throws when it is activated: " + cause(configuration.failure));
            case ComponentConfigurationDTO.UNSATISFIED_CONFIGURATION -> waits.add(
                    "configuration " + String.join(" and ", component.configurationPid));
            case ComponentConfigurationDTO.UNSATISFIED_REFERENCE -> {
                for (UnsatisfiedReferenceDTO missing : configuration.unsatisfiedReferences) {
                    waits.add("the service " + serviceOf(component, missing.name));
                }
            }
            default -> {
                // SATISFIED and ACTIVE are good.
            }
        }
    }

    /** The first line of a stack trace, and its causes. */
    private static String cause(String stackTrace) {
        if (stackTrace == null) {
            return "it does not say why";
        }
        List<String> lines = stackTrace.lines().toList();
        return lines.stream()
                .filter(line -> line.equals(lines.get(0)) || line.startsWith("Caused by: "))
                .map(line -> line.replaceFirst("^Caused by: ", ""))
                .filter(line -> !line.startsWith(InvocationTargetException.class.getName()))
                .distinct()
                .collect(Collectors.joining(", because of "));
    }

    private static String serviceOf(ComponentDescriptionDTO component, String reference) {
        for (ReferenceDTO each : component.references) {
            if (each.name.equals(reference)) {
                return each.interfaceName;
            }
        }
        return reference;
    }
}
