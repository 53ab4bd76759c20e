package io.felice.security;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.extension.Extension;
import io.felice.api.extension.Extensions;
import io.felice.api.security.CredentialStore;
import io.felice.api.security.ScramCredential;
import io.felice.api.security.ScramMechanism;
import io.felice.api.status.HealthSource;
import io.felice.api.status.StatusSource;
import io.felice.api.status.StatusTable;
import io.felice.api.status.Trouble;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.LongSupplier;
import org.osgi.service.component.ComponentServiceObjects;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;

/**
 * Asks the credential store that the setting {@code credential.store} names, and no other. The methods that ask wait for
 * the answer; they are called on the threads of an authenticator. If there is no answer they fail with REQUEST_TIMED_OUT.
 */
@Component(
        configurationPid = "io.felice.security",
        service = {CredentialStores.class, StatusSource.class, HealthSource.class})
public final class CredentialStores implements StatusSource, HealthSource {
    /** A mechanism waits for the store inside a call that has a limit itself: the store has that part of the time. */
    private static final int PART_OF_THE_TIME = 2;

    private final ScheduledExecutorService timer;
    private final Extensions<CredentialStore> stores;
    private volatile SecuritySettings settings;

    @Activate
    public CredentialStores(SecuritySettings settings) {
        this(settings, SecurityTimer.started(), System::nanoTime);
    }

    CredentialStores(SecuritySettings settings, ScheduledExecutorService timer, LongSupplier nanos) {
        this.settings = settings;
        this.timer = timer;
        this.stores = new Extensions<>(
                "credential store",
                CredentialStore.NAME,
                Extensions.sameBundleAs(CredentialStores.class),
                timer,
                nanos);
    }

    @Modified
    void modified(SecuritySettings changed) {
        settings = changed;
    }

    @Deactivate
    public void close() {
        stores.close();
        timer.shutdownNow();
    }

    @Reference(
            service = CredentialStore.class,
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    public void bindStore(ComponentServiceObjects<CredentialStore> store, Map<String, Object> properties) {
        stores.add(store, properties);
    }

    public void unbindStore(ComponentServiceObjects<CredentialStore> store) {
        stores.remove(store);
    }

    /** True if the user has this password. The password is cleared when the store has compared it. */
    boolean hasPassword(String user, byte[] password) {
        Extension<CredentialStore> plugin = inUse();
        return ask(plugin, "hasPassword()", () -> {
            try {
                return plugin.service().hasPassword(user, password);
            } finally {
                Arrays.fill(password, (byte) 0);
            }
        });
    }

    Optional<ScramCredential> scram(String user, ScramMechanism mechanism) {
        Extension<CredentialStore> plugin = inUse();
        return ask(plugin, "scram()", () -> plugin.service().scram(user, mechanism));
    }

    /** The iterations of a credential that is shown for somebody who is no user. */
    int usualIterations(ScramMechanism mechanism) {
        Extension<CredentialStore> plugin = inUse();
        return plugin.service() instanceof FeliceCredentialStore felice
                ? felice.usualIterations(mechanism)
                : ScramKeys.ITERATIONS;
    }

    private Extension<CredentialStore> inUse() {
        String name = settings.credential_store();
        return stores.find(name)
                .orElseThrow(() -> ErrorCode.REQUEST_TIMED_OUT.because(
                        "Passwords cannot be checked now: the credential store " + name + " is not there"));
    }

    private <T> T ask(Extension<CredentialStore> plugin, String what, Callable<T> question) {
        try {
            return plugin.calls()
                    .call(what, settings.plugin_timeout_ms() / PART_OF_THE_TIME, question)
                    .get();
        } catch (ExecutionException failed) {
            throw failed.getCause() instanceof FeliceException expected
                    ? expected
                    : ErrorCode.REQUEST_TIMED_OUT.because("Passwords cannot be checked now");
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw ErrorCode.REQUEST_TIMED_OUT.because("Passwords cannot be checked now");
        }
    }

    @Override
    public List<StatusTable> tables() {
        return List.of(stores.table("security.stores"));
    }

    @Override
    public List<Trouble> troubles() {
        List<Trouble> troubles = new ArrayList<>(stores.troubles());
        String name = settings.credential_store();
        if (stores.find(name).isEmpty()) {
            troubles.add(Trouble.inPart("Nobody can log in with a password: the credential store " + name
                    + ", which the setting credential.store names, is not there"));
        }
        return troubles;
    }
}
