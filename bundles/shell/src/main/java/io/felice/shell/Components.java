package io.felice.shell;

import io.felice.api.status.Trouble;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.osgi.service.component.runtime.ServiceComponentRuntime;
import org.osgi.service.component.runtime.dto.ComponentConfigurationDTO;
import org.osgi.service.component.runtime.dto.ComponentDescriptionDTO;
import org.osgi.service.component.runtime.dto.ReferenceDTO;
import org.osgi.service.component.runtime.dto.UnsatisfiedReferenceDTO;

/** Finds the components of active bundles that did not start, and the reasons. */
final class Components {
    private final ServiceComponentRuntime runtime;
    private final Supplier<Collection<ComponentDescriptionDTO>> descriptions;

    /** @param descriptions the components to check */
    Components(ServiceComponentRuntime runtime, Supplier<Collection<ComponentDescriptionDTO>> descriptions) {
        this.runtime = runtime;
        this.descriptions = descriptions;
    }

    /** The components whose own constructor failed. */
    List<Trouble> failed() {
        List<Trouble> troubles = new ArrayList<>();
        forEach((description, configuration) -> {
            if (configuration.state == ComponentConfigurationDTO.FAILED_ACTIVATION) {
                String cause = configuration.failure.lines().findFirst().orElse("it does not say why");
                troubles.add(Trouble.inPart("The component " + description.name + " of the bundle "
                        + description.bundle.symbolicName + " could not start: " + cause
                        + ". It is tried again when its bundle is updated or started again"));
            }
        });
        return troubles;
    }

    /** The components that wait for a service, by bundle and service. */
    List<Trouble> waiting() {
        Map<String, Integer> counts = new TreeMap<>();
        forEach((description, configuration) -> {
            if (configuration.state == ComponentConfigurationDTO.UNSATISFIED_REFERENCE) {
                for (UnsatisfiedReferenceDTO missing : configuration.unsatisfiedReferences) {
                    counts.merge(
                            "the bundle " + description.bundle.symbolicName + " wait for the service "
                                    + serviceOf(description, missing.name),
                            1,
                            Integer::sum);
                }
            }
        });
        return counts.entrySet().stream()
                .map(wait -> Trouble.inPart(wait.getValue() + " components of " + wait.getKey()))
                .toList();
    }

    private interface Look {
        void at(ComponentDescriptionDTO description, ComponentConfigurationDTO configuration);
    }

    private void forEach(Look look) {
        for (ComponentDescriptionDTO description : descriptions.get()) {
            runtime.getComponentConfigurationDTOs(description)
                    .forEach(configuration -> look.at(description, configuration));
        }
    }

    private static String serviceOf(ComponentDescriptionDTO description, String reference) {
        for (ReferenceDTO each : description.references) {
            if (each.name.equals(reference)) {
                return each.interfaceName;
            }
        }
        return reference;
    }
}
