package io.felice.network;

import io.felice.api.security.PrincipalMapping;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReference;
import org.osgi.service.component.ComponentServiceObjects;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The {@link PrincipalMapping}s that are there now. Of two with the same name the one that came first is used. */
@Component(service = PrincipalMappings.class)
public final class PrincipalMappings {
    private static final Logger log = LoggerFactory.getLogger(PrincipalMappings.class);

    private final List<Named> all = new CopyOnWriteArrayList<>();

    private record Named(
            String name,
            ComponentServiceObjects<PrincipalMapping> offered,
            String component,
            AtomicReference<PrincipalMapping> activated) {
        PrincipalMapping mapping() {
            PrincipalMapping mapping = activated.get();
            return mapping != null ? mapping : activate();
        }

        private PrincipalMapping activate() {
            PrincipalMapping mapping = offered.getService();
            if (mapping == null) {
                throw new IllegalStateException(component + " cannot be activated");
            }
            if (!activated.compareAndSet(null, mapping)) {
                offered.ungetService(mapping);
            }
            return activated.get();
        }
    }

    @Activate
    public PrincipalMappings() {}

    @Reference(
            name = "mappings",
            service = PrincipalMapping.class,
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC,
            unbind = "unbind")
    public void bind(ComponentServiceObjects<PrincipalMapping> mapping, Map<String, Object> properties) {
        String name = String.valueOf(properties.get(PrincipalMapping.NAME));
        String component = properties.getOrDefault("component.name", "a service without a component") + " of bundle "
                + properties.get("service.bundleid");
        find(name)
                .ifPresent(first -> log.warn(
                        "{} is not used while {} is there: both are the principal mapping {}",
                        component,
                        first.component(),
                        name));
        all.add(new Named(name, mapping, component, new AtomicReference<>()));
    }

    public void unbind(ComponentServiceObjects<PrincipalMapping> mapping) {
        all.removeIf(named -> named.offered.equals(mapping));
    }

    private Optional<Named> find(String name) {
        return all.stream().filter(named -> named.name.equals(name)).findFirst();
    }

    /**
     * May block: the first call activates the mapping.
     *
     * @throws RuntimeException if the mapping cannot be activated
     */
    Optional<PrincipalMapping> named(String name) {
        return find(name).map(Named::mapping);
    }
}
