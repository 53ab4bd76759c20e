package io.felice.network;

import io.felice.api.security.PrincipalMapping;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
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

    private record Named(String name, PrincipalMapping mapping) {}

    @Activate
    public PrincipalMappings() {}

    @Reference(
            name = "mappings",
            service = PrincipalMapping.class,
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC,
            unbind = "unbind")
    public void bind(PrincipalMapping mapping, Map<String, Object> properties) {
        String name = String.valueOf(properties.get(PrincipalMapping.NAME));
        named(name)
                .ifPresent(first -> log.warn(
                        "{} is not used while {} is there: both are the principal mapping {}",
                        mapping.getClass().getName(),
                        first.getClass().getName(),
                        name));
        all.add(new Named(name, mapping));
    }

    public void unbind(PrincipalMapping mapping) {
        all.removeIf(named -> named.mapping == mapping);
    }

    Optional<PrincipalMapping> named(String name) {
        return all.stream()
                .filter(named -> named.name.equals(name))
                .map(Named::mapping)
                .findFirst();
    }
}
