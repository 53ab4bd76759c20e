package io.felice.security;

import io.felice.api.security.Authenticator;
import io.felice.api.status.HealthSource;
import io.felice.api.status.StatusSource;
import io.felice.api.status.StatusTable;
import io.felice.api.status.TableSchema;
import io.felice.api.status.Trouble;
import java.util.Hashtable;
import java.util.List;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;

/** Offers the mechanism OAUTHBEARER while the setting {@code oauth.jwks} says where the keys of its tokens are. */
@Component(configurationPid = "io.felice.security", immediate = true)
public final class OAuthBearerMechanism implements StatusSource, HealthSource {
    private static final TableSchema STATUS = TableSchema.of("security.oauth", "The keys that tokens are checked with")
            .label("location", "Where the keys come from")
            .gauge("keys", "How many keys there are")
            .text("read.at", "When they were read")
            .text("failure", "Why they could not be read again");

    private final BundleContext bundle;
    private Registered registered;
    private volatile SigningKeys keys;

    /** What was registered with which settings. */
    private record Registered(List<Object> settings, SigningKeys keys, ServiceRegistration<?> service) {}

    @Activate
    public OAuthBearerMechanism(BundleContext bundle, SecuritySettings settings) {
        this.bundle = bundle;
        modified(settings);
    }

    @Modified
    void modified(SecuritySettings settings) {
        List<Object> wanted = List.of(
                settings.oauth_jwks(),
                settings.oauth_jwks_refresh_ms(),
                settings.oauth_issuer(),
                settings.oauth_audience(),
                settings.oauth_principal_claim(),
                settings.oauth_scope(),
                settings.oauth_scope_claim(),
                settings.oauth_clock_skew_ms(),
                settings.plugin_timeout_ms());
        if (registered != null && registered.settings().equals(wanted)) {
            return;
        }
        close();
        if (!settings.oauth_jwks().isBlank()) {
            register(wanted, settings);
        }
    }

    private void register(List<Object> wanted, SecuritySettings settings) {
        keys = new SigningKeys(
                settings.oauth_jwks().trim(),
                settings.oauth_jwks_refresh_ms(),
                SecurityTimer.started(),
                System::nanoTime);
        Authenticator authenticator = new OAuthBearerAuthenticator(new TokenCheck(keys, settings));
        Hashtable<String, Object> properties = new Hashtable<>();
        properties.put(Authenticator.MECHANISM, OAuthBearerAuthenticator.NAME);
        registered =
                new Registered(wanted, keys, bundle.registerService(Authenticator.class, authenticator, properties));
    }

    @Deactivate
    void close() {
        if (registered != null) {
            registered.service().unregister();
            registered.keys().close();
            registered = null;
            keys = null;
        }
    }

    @Override
    public List<StatusTable> tables() {
        SigningKeys now = keys;
        return List.of(STATUS.rows(
                now == null
                        ? List.of()
                        : List.of(List.of(
                                now.location(),
                                (long) now.keys().size(),
                                now.readAt().map(Object::toString).orElse("never"),
                                now.failure().orElse("")))));
    }

    @Override
    public List<Trouble> troubles() {
        SigningKeys now = keys;
        if (now == null) {
            return List.of();
        }
        String consequence = now.readAt()
                .map(at -> "tokens are checked with the keys that were read at " + at)
                .orElse("nobody can log in with OAUTHBEARER");
        return now.failure()
                .map(why -> List.of(Trouble.inPart(
                        "The keys of " + now.location() + " cannot be read; " + consequence + ": " + why)))
                .orElse(List.of());
    }
}
