package io.felice.security;

import io.felice.api.Subscription;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.MetadataRecord;
import io.felice.api.security.Authenticator;
import io.felice.api.security.Authorizer;
import io.felice.api.security.CredentialStore;
import io.felice.api.security.ScramCredential;
import io.felice.api.security.ScramMechanism;
import java.lang.reflect.Proxy;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.osgi.framework.ServiceReference;
import org.osgi.service.component.ComponentServiceObjects;

/** Settings, and metadata that a test changes. */
final class Fakes {
    private Fakes() {}

    /** The defaults, but with these values; the keys are the names of the methods. */
    static SecuritySettings settings(Map<String, Object> values) {
        return (SecuritySettings) Proxy.newProxyInstance(
                Fakes.class.getClassLoader(),
                new Class<?>[] {SecuritySettings.class},
                (proxy, method, arguments) -> values.getOrDefault(method.getName(), method.getDefaultValue()));
    }

    /** A service as Declarative Services offers it. */
    record Offered<T>(T service) implements ComponentServiceObjects<T> {
        @Override
        public T getService() {
            return service;
        }

        @Override
        public void ungetService(T given) {}

        @Override
        public ServiceReference<T> getServiceReference() {
            return null;
        }
    }

    static void bindAuthenticator(AuthenticationService logins, Authenticator service, Map<String, Object> properties) {
        logins.bindAuthenticator(new Offered<>(service), properties);
    }

    static void unbindAuthenticator(AuthenticationService logins, Authenticator service) {
        logins.unbindAuthenticator(new Offered<>(service));
    }

    static void bindStore(CredentialStores stores, CredentialStore service, Map<String, Object> properties) {
        stores.bindStore(new Offered<>(service), properties);
    }

    static void unbindStore(CredentialStores stores, CredentialStore service) {
        stores.unbindStore(new Offered<>(service));
    }

    static void bindAuthorizer(AuthorizationService rights, Authorizer service, Map<String, Object> properties) {
        rights.bindAuthorizer(new Offered<>(service), properties);
    }

    static void unbindAuthorizer(AuthorizationService rights, Authorizer service) {
        rights.unbindAuthorizer(new Offered<>(service));
    }

    static Authenticator.Client client(String host) {
        return new Authenticator.Client(address(host), "SASL", false);
    }

    static InetAddress address(String host) {
        try {
            return InetAddress.getByName(host);
        } catch (UnknownHostException impossible) {
            throw new AssertionError(impossible);
        }
    }

    static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    static ScramCredential credential(ScramMechanism mechanism, String password, int iterations) {
        return ScramKeys.credential(mechanism, utf8(password), utf8("salt of a user"), iterations);
    }

    /** The metadata of a cluster with one node, 1. */
    static final class Metadata implements ClusterMetadata {
        private final List<Consumer<ClusterView>> listeners = new ArrayList<>();
        private ClusterView view = ClusterView.EMPTY;

        synchronized void add(MetadataRecord... records) {
            view = view.after(view.version() + 1, List.of(records));
            listeners.forEach(listener -> listener.accept(view));
        }

        void addUser(String name, String password) {
            for (ScramMechanism mechanism : ScramMechanism.values()) {
                add(new MetadataRecord.CredentialSet(
                        name, mechanism, credential(mechanism, password, ScramMechanism.LEAST_ITERATIONS)));
            }
        }

        @Override
        public synchronized ClusterView view() {
            return view;
        }

        @Override
        public int brokerId() {
            return 1;
        }

        @Override
        public CompletionStage<ClusterView> reached(long version) {
            return CompletableFuture.completedFuture(view());
        }

        @Override
        public CompletionStage<ClusterView> replayed(long version) {
            return reached(version);
        }

        @Override
        public synchronized Subscription listen(Consumer<ClusterView> listener) {
            listeners.add(listener);
            listener.accept(view);
            return () -> listeners.remove(listener);
        }
    }
}
