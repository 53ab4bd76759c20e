package io.felice.network;

import io.felice.api.status.StatusTable;
import io.felice.api.status.TableColumn.Unit;
import io.felice.api.status.TableSchema;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.TrustManager;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The node's key and certificate, and the certificates that it trusts, as they were read from their files last. Makes
 * the engines of new connections. Files that cannot be used change nothing: new connections get what was read before.
 *
 * <p>One thread reads the files ({@link #change}, {@link #check}); any thread may call the other methods.
 */
final class TlsContext {
    private static final TableSchema CERTIFICATE = TableSchema.of(
                    "network.certificate", "The certificate that clients see on listeners with TLS")
            .label("file", "The setting that names the file")
            .text("subject", "Whom the certificate names")
            .gauge("left.days", Unit.DAYS, "Days until the certificate ends; -1 if there is none")
            .counter("reloads", "How often a changed file was read")
            .counter("failed.reads", "How often a changed file could not be used");
    private static final Logger log = LoggerFactory.getLogger(TlsContext.class);

    /** From when on the log says every day that a certificate will expire. */
    private static final long WARNED_DAYS = 14;

    private final Clock clock;
    private volatile TlsSettings settings;
    private volatile Loaded loaded;
    /** Why the files cannot be used; null if they can. */
    private volatile String trouble;

    private volatile long reloads;
    private volatile long failures;
    private Map<Path, Stamp> stamps = Map.of();
    private long warnedOn = Long.MIN_VALUE;

    private record Loaded(SSLContext context, X509Certificate certificate, PrincipalRules rules) {}

    /** What changes when a file is written or replaced. */
    private record Stamp(FileTime modified, long size, Object key) {}

    TlsContext(TlsSettings settings, Clock clock) {
        this.settings = settings;
        this.clock = clock;
    }

    /** True if engines can be made. */
    boolean isUsable() {
        return loaded != null;
    }

    /** Why the files as they are now cannot be used. */
    Optional<String> trouble() {
        Loaded now = loaded;
        if (trouble == null && now != null && daysLeft(now) < 0) {
            return Optional.of(settings.keyStore().orElseThrow().path() + " has a certificate that expired at "
                    + now.certificate.getNotAfter().toInstant());
        }
        return Optional.ofNullable(trouble);
    }

    TlsSettings settings() {
        return settings;
    }

    /** The rules for the subjects of certificates. */
    PrincipalRules rules() {
        return loaded.rules;
    }

    /** Reads the files if the settings are others than before. */
    void change(TlsSettings to) {
        if (!to.equals(settings)) {
            settings = to;
            load();
        }
    }

    /** Reads the files if one of them has changed. */
    void check() {
        if (!stampsNow().equals(stamps)) {
            load();
        }
        warnOfExpiry();
    }

    private void load() {
        stamps = stampsNow();
        try {
            boolean isFirst = loaded == null;
            loaded = read();
            trouble = null;
            if (!isFirst) {
                reloads++;
                log.info(
                        "New TLS connections get the certificate of {}, which is valid until {}",
                        loaded.certificate.getSubjectX500Principal(),
                        loaded.certificate.getNotAfter().toInstant());
            }
        } catch (UnusableCertificate unusable) {
            failures++;
            trouble = unusable.getMessage();
            log.error(
                    "{}. {}",
                    trouble,
                    loaded == null
                            ? "Listeners that use TLS are not opened until the file can be used"
                            : "New TLS connections get the certificate that was read before");
        }
    }

    private Loaded read() throws UnusableCertificate {
        CertificateFiles files = new CertificateFiles(settings, clock.instant());
        CertificateFiles.NodeKey key = files.nodeKey();
        try {
            SSLContext context = SSLContext.getInstance("TLS");
            TrustManager[] trusted = settings.trustStore().isPresent() ? files.trusted() : new TrustManager[0];
            context.init(key.keys().getKeyManagers(), trusted, null);
            requireKnown(settings.cipherSuites(), context);
            return new Loaded(context, key.certificate(), PrincipalRules.parse(settings.mappingRules()));
        } catch (GeneralSecurityException failure) {
            throw new UnusableCertificate("TLS cannot be set up: " + failure.getMessage());
        }
    }

    private static void requireKnown(List<String> suites, SSLContext context) throws UnusableCertificate {
        Set<String> unknown = new TreeSet<>(suites);
        unknown.removeAll(Arrays.asList(context.getSupportedSSLParameters().getCipherSuites()));
        if (!unknown.isEmpty()) {
            throw new UnusableCertificate("ssl.cipher.suites: this JDK does not know " + unknown);
        }
    }

    private Map<Path, Stamp> stampsNow() {
        Map<Path, Stamp> now = new HashMap<>();
        settings.files().forEach(file -> now.put(file, stampOf(file)));
        return now;
    }

    private static Stamp stampOf(Path file) {
        try {
            BasicFileAttributes of = Files.readAttributes(file, BasicFileAttributes.class);
            return new Stamp(of.lastModifiedTime(), of.size(), of.fileKey());
        } catch (IOException missing) {
            return new Stamp(FileTime.fromMillis(0), -1, null);
        }
    }

    private void warnOfExpiry() {
        long today = Duration.ofMillis(clock.millis()).toDays();
        if (loaded != null && daysLeft(loaded) < WARNED_DAYS && today != warnedOn) {
            warnedOn = today;
            log.warn(
                    "The certificate of {} is valid until {}. After that clients refuse it. Write a new one to {}",
                    loaded.certificate.getSubjectX500Principal(),
                    loaded.certificate.getNotAfter().toInstant(),
                    settings.keyStore().orElseThrow().path());
        }
    }

    private long daysLeft(Loaded of) {
        Duration left =
                Duration.between(clock.instant(), of.certificate.getNotAfter().toInstant());
        return left.isNegative() ? Math.min(-1, left.toDays()) : left.toDays();
    }

    /** A new engine of the server's side. Does not block. */
    SSLEngine engine(boolean asksForCertificate) {
        SSLEngine engine = Objects.requireNonNull(loaded).context.createSSLEngine();
        engine.setUseClientMode(false);
        SSLParameters parameters = engine.getSSLParameters();
        parameters.setProtocols(settings.protocols().toArray(String[]::new));
        if (!settings.cipherSuites().isEmpty()) {
            parameters.setCipherSuites(settings.cipherSuites().toArray(String[]::new));
        }
        parameters.setUseCipherSuitesOrder(true);
        if (asksForCertificate) {
            switch (settings.clientAuth()) {
                case NONE -> {}
                case REQUESTED -> parameters.setWantClientAuth(true);
                case REQUIRED -> parameters.setNeedClientAuth(true);
            }
        }
        engine.setSSLParameters(parameters);
        return engine;
    }

    StatusTable table() {
        Loaded now = loaded;
        return CERTIFICATE.rows(List.of(List.of(
                "ssl.keystore.location",
                now == null ? "-" : now.certificate.getSubjectX500Principal().getName(),
                now == null ? -1L : daysLeft(now),
                reloads,
                failures)));
    }
}
