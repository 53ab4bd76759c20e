package io.felice.network;

import io.felice.api.wire.WireProtocol;
import org.osgi.framework.ServiceReference;
import org.osgi.service.component.ComponentServiceObjects;

/** A wire as Declarative Services offers it. */
record OfferedWire(WireProtocol wire) implements ComponentServiceObjects<WireProtocol> {
    @Override
    public WireProtocol getService() {
        return wire;
    }

    @Override
    public void ungetService(WireProtocol service) {}

    @Override
    public ServiceReference<WireProtocol> getServiceReference() {
        return null;
    }
}
