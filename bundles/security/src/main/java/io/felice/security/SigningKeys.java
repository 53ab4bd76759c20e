package io.felice.security;

import io.felice.api.FeliceException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongSupplier;
import org.jose4j.jwk.JsonWebKey;
import org.jose4j.jwk.JsonWebKeySet;
import org.jose4j.jwk.PublicJsonWebKey;
import org.jose4j.lang.JoseException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The public keys with which tokens are signed: a JSON Web Key Set (RFC 7517) from a file or a URL. They are read again from
 * time to time, on a thread of their own. If they cannot be read, the last ones stay in use.
 */
final class SigningKeys implements AutoCloseable {
    static final int MOST_BYTES = 1 << 20;

    private static final Logger log = LoggerFactory.getLogger(SigningKeys.class);
    private static final int CONNECT_MS = 5_000;
    private static final int READ_MS = 5_000;
    private static final long ALL_BYTES_NANOS = TimeUnit.SECONDS.toNanos(20);
    private static final int RETRY_MS = 30_000;
    /** How often a token with an unknown key makes the keys be read again, at most. */
    private static final long EARLY_EVERY_NANOS = TimeUnit.SECONDS.toNanos(10);

    private static final int BUFFER_BYTES = 8_192;

    private final String location;
    private final int refreshMs;
    private final ScheduledExecutorService thread;
    private final LongSupplier nanos;
    private final CompletableFuture<Void> firstRead = new CompletableFuture<>();
    private volatile Known known = new Known(List.of(), null);
    private volatile String failure;
    private CompletableFuture<Void> early = firstRead;
    private long earlySince;

    private record Known(List<JsonWebKey> keys, Instant readAt) {}

    /** @param thread reads the keys; nothing else runs on it */
    SigningKeys(String location, int refreshMs, ScheduledExecutorService thread, LongSupplier nanos) {
        this.location = location;
        this.refreshMs = refreshMs;
        this.thread = thread;
        this.nanos = nanos;
        this.earlySince = nanos.getAsLong();
        thread.execute(this::readAndPlanTheNext);
    }

    String location() {
        return location;
    }

    List<JsonWebKey> keys() {
        return known.keys();
    }

    Optional<Instant> readAt() {
        return Optional.ofNullable(known.readAt());
    }

    /** Why the keys could not be read the last time; empty if they could. */
    Optional<String> failure() {
        return Optional.ofNullable(failure);
    }

    @Override
    public void close() {
        thread.shutdown();
        firstRead.complete(null);
    }

    /** Waits until the keys are read again, if it is time for that, or for the first time. */
    void awaitNewer(int limitMs) {
        try {
            newer().get(limitMs, TimeUnit.MILLISECONDS);
        } catch (TimeoutException | ExecutionException notRead) {
            log.debug("No newer keys from {}", location, notRead);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private synchronized CompletableFuture<Void> newer() {
        long now = nanos.getAsLong();
        if (early.isDone() && now - earlySince >= EARLY_EVERY_NANOS) {
            earlySince = now;
            early = new CompletableFuture<>();
            CompletableFuture<Void> done = early;
            try {
                thread.execute(() -> {
                    read();
                    done.complete(null);
                });
            } catch (RejectedExecutionException closed) {
                done.complete(null);
            }
        }
        return early;
    }

    private void readAndPlanTheNext() {
        read();
        firstRead.complete(null);
        try {
            int nextMs = failure == null ? refreshMs : Math.min(RETRY_MS, refreshMs);
            thread.schedule(this::readAndPlanTheNext, nextMs, TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException closed) {
            log.debug("The keys of {} are not read again", location);
        }
    }

    private void read() {
        try {
            List<JsonWebKey> keys = usable(new String(bytes(), StandardCharsets.UTF_8));
            known = new Known(keys, Instant.now());
            if (failure != null) {
                log.info("The keys of {} can be read again", location);
            }
            failure = null;
        } catch (IOException | JoseException | RuntimeException unreadable) {
            if (failure == null) {
                log.warn(
                        "The keys for OAUTHBEARER cannot be read from {}; {}",
                        location,
                        known.keys().isEmpty() ? "nobody can log in with it" : "the last ones stay in use",
                        unreadable);
            }
            failure = FeliceException.unwrap(unreadable).toString();
        }
    }

    private static List<JsonWebKey> usable(String text) throws IOException, JoseException {
        List<JsonWebKey> keys = new JsonWebKeySet(text)
                .getJsonWebKeys().stream()
                        .filter(PublicJsonWebKey.class::isInstance)
                        .toList();
        if (keys.isEmpty()) {
            throw new IOException("the key set has no public key");
        }
        return keys;
    }

    private byte[] bytes() throws IOException {
        if (location.startsWith("http:") || location.startsWith("https:")) {
            return fetched(URI.create(location));
        }
        Path file = location.startsWith("file:") ? Path.of(URI.create(location)) : Path.of(location);
        try (InputStream in = Files.newInputStream(file)) {
            return bounded(in);
        }
    }

    private byte[] fetched(URI uri) throws IOException {
        HttpURLConnection connection = (HttpURLConnection) uri.toURL().openConnection();
        connection.setConnectTimeout(CONNECT_MS);
        connection.setReadTimeout(READ_MS);
        connection.setInstanceFollowRedirects(false);
        connection.setRequestProperty("Accept", "application/jwk-set+json, application/json");
        try {
            int status = connection.getResponseCode();
            if (status != HttpURLConnection.HTTP_OK) {
                throw new IOException("the server answers with status " + status);
            }
            try (InputStream in = connection.getInputStream()) {
                return bounded(in);
            }
        } finally {
            connection.disconnect();
        }
    }

    private byte[] bounded(InputStream in) throws IOException {
        long since = nanos.getAsLong();
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        byte[] buffer = new byte[BUFFER_BYTES];
        for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
            all.write(buffer, 0, n);
            if (all.size() > MOST_BYTES) {
                throw new IOException("the key set has more than " + MOST_BYTES + " bytes");
            } else if (nanos.getAsLong() - since > ALL_BYTES_NANOS) {
                throw new IOException(
                        "the key set does not arrive within " + TimeUnit.NANOSECONDS.toSeconds(ALL_BYTES_NANOS) + " s");
            }
        }
        return all.toByteArray();
    }
}
