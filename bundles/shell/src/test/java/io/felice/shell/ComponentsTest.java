package io.felice.shell;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.status.Trouble;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.osgi.framework.dto.BundleDTO;
import org.osgi.service.component.runtime.ServiceComponentRuntime;
import org.osgi.service.component.runtime.dto.ComponentConfigurationDTO;
import org.osgi.service.component.runtime.dto.ComponentDescriptionDTO;
import org.osgi.service.component.runtime.dto.ReferenceDTO;
import org.osgi.service.component.runtime.dto.UnsatisfiedReferenceDTO;

class ComponentsTest {
    private final List<ComponentConfigurationDTO> configurations = new ArrayList<>();
    private final Components components = new Components(runtime(), () -> configurations.stream()
            .map(configuration -> configuration.description)
            .toList());

    /** A fake of Declarative Services, which answers only queries for the configurations of a component. */
    private ServiceComponentRuntime runtime() {
        return (ServiceComponentRuntime) Proxy.newProxyInstance(
                getClass().getClassLoader(),
                new Class<?>[] {ServiceComponentRuntime.class},
                (proxy, method, arguments) -> configurations.stream()
                        .filter(configuration -> configuration.description == arguments[0])
                        .toList());
    }

    private ComponentConfigurationDTO component(String name, int state) {
        ComponentDescriptionDTO description = new ComponentDescriptionDTO();
        description.name = name;
        description.bundle = new BundleDTO();
        description.bundle.symbolicName = "com.example.tape";
        ReferenceDTO reference = new ReferenceDTO();
        reference.name = "drive";
        reference.interfaceName = "com.example.Drive";
        description.references = new ReferenceDTO[] {reference};
        ComponentConfigurationDTO configuration = new ComponentConfigurationDTO();
        configuration.description = description;
        configuration.state = state;
        configuration.unsatisfiedReferences = new UnsatisfiedReferenceDTO[0];
        configurations.add(configuration);
        return configuration;
    }

    private void waitsForItsDrive(String name) {
        UnsatisfiedReferenceDTO missing = new UnsatisfiedReferenceDTO();
        missing.name = "drive";
        component(name, ComponentConfigurationDTO.UNSATISFIED_REFERENCE).unsatisfiedReferences =
                new UnsatisfiedReferenceDTO[] {missing};
    }

    @Test
    void aComponentWhoseConstructorFailedIsReportedWithItsBundleAndTheCause() {
        component("Idle", ComponentConfigurationDTO.SATISFIED);
        component("Tape", ComponentConfigurationDTO.FAILED_ACTIVATION).failure =
                "java.lang.IllegalStateException: no drive\n\tat Tape.<init>(Tape.java:1)";

        assertThat(components.waiting()).isEmpty();
        assertThat(components.failed())
                .containsExactly(Trouble.inPart("The component Tape of the bundle com.example.tape could not start:"
                        + " java.lang.IllegalStateException: no drive."
                        + " It is tried again when its bundle is updated or started again"));
    }

    @Test
    void waitingComponentsAreCountedByTheMissingService() {
        waitsForItsDrive("Tape");
        waitsForItsDrive("Rewinder");

        assertThat(components.failed()).isEmpty();
        assertThat(components.waiting())
                .containsExactly(Trouble.inPart(
                        "2 components of the bundle com.example.tape wait for the service com.example.Drive"));
    }
}
