package io.felice.network;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.UnrecoverableKeyException;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;

/**
 * Reads the files with the node's key and with the certificates that it trusts: PEM, PKCS#12 or JKS. Blocks.
 *
 * @param now certificates must be valid at this time
 */
record CertificateFiles(TlsSettings settings, Instant now) {
    private static final int MOST_BYTES = 4 * 1024 * 1024;
    private static final char[] IN_MEMORY = "felice".toCharArray();
    private static final Map<String, String> SIGNATURES =
            Map.of("RSA", "SHA256withRSA", "EC", "SHA256withECDSA", "EdDSA", "EdDSA", "DSA", "SHA256withDSA");

    /** The key of the node, and the certificate for it that expires first. */
    record NodeKey(KeyManagerFactory keys, X509Certificate certificate) {}

    private record Contents(KeyStore store, char[] keyPassword) {}

    /** @throws UnusableCertificate with a sentence for the operator */
    NodeKey nodeKey() throws UnusableCertificate {
        TlsSettings.StoreFile file = settings.keyStore().orElseThrow();
        try {
            Contents contents = keyStore(file);
            X509Certificate certificate = checked(contents);
            KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            keys.init(contents.store, contents.keyPassword);
            return new NodeKey(keys, certificate);
        } catch (UnusableCertificate reason) {
            throw about(file, reason.getMessage());
        } catch (IOException | GeneralSecurityException failure) {
            throw about(file, reason(failure, "ssl.keystore.password"));
        }
    }

    /** @throws UnusableCertificate with a sentence for the operator */
    TrustManager[] trusted() throws UnusableCertificate {
        TlsSettings.StoreFile file = settings.trustStore().orElseThrow();
        try {
            TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            factory.init(trustStore(file));
            return factory.getTrustManagers();
        } catch (UnusableCertificate reason) {
            throw about(file, reason.getMessage());
        } catch (IOException | GeneralSecurityException failure) {
            throw about(file, reason(failure, "ssl.truststore.password"));
        }
    }

    private static UnusableCertificate about(TlsSettings.StoreFile file, String reason) {
        return new UnusableCertificate(file.setting() + ": " + file.path() + " " + reason);
    }

    private static String reason(Exception failure, String password) {
        if (failure instanceof NoSuchFileException missing) {
            return "cannot be read: there is no file " + missing.getFile();
        }
        if (failure instanceof AccessDeniedException denied) {
            return "cannot be read: this process may not read " + denied.getFile();
        }
        if (failure instanceof UnrecoverableKeyException || failure.getCause() instanceof UnrecoverableKeyException) {
            return "cannot be decrypted: " + password + " or ssl.key.password is wrong";
        }
        return "cannot be read: " + failure.getMessage();
    }

    // ---- keys ----

    private Contents keyStore(TlsSettings.StoreFile file)
            throws IOException, GeneralSecurityException, UnusableCertificate {
        byte[] bytes = bytes(file.path());
        char[] password = file.password().read();
        char[] keyPassword = settings.keyPassword().isEmpty()
                ? password
                : settings.keyPassword().read();
        return isPem(file, bytes)
                ? new Contents(inMemory(PemFile.parse(text(bytes), keyPassword)), IN_MEMORY)
                : new Contents(binary(bytes, password), keyPassword);
    }

    private static KeyStore inMemory(PemFile pem) throws IOException, GeneralSecurityException, UnusableCertificate {
        if (pem.keys().size() != 1) {
            throw new UnusableCertificate("has " + pem.keys().size() + " private keys; it must have one");
        }
        if (pem.certificates().isEmpty()) {
            throw new UnusableCertificate("has no certificate");
        }
        PrivateKey key = pem.keys().get(0);
        requireMatch(key, pem.certificates().get(0));
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        store.setKeyEntry("node", key, IN_MEMORY, pem.certificates().toArray(Certificate[]::new));
        return store;
    }

    /** Checks every key of the store. @return the certificate that expires first */
    private X509Certificate checked(Contents contents) throws GeneralSecurityException, UnusableCertificate {
        X509Certificate first = null;
        for (String alias : Collections.list(contents.store.aliases())) {
            if (contents.store.getKey(alias, contents.keyPassword) instanceof PrivateKey key) {
                X509Certificate certificate = (X509Certificate) contents.store.getCertificate(alias);
                requireMatch(key, certificate);
                requireValid(certificate);
                boolean isFirst = first == null || certificate.getNotAfter().before(first.getNotAfter());
                first = isFirst ? certificate : first;
            }
        }
        if (first == null) {
            throw new UnusableCertificate("has no private key");
        }
        return first;
    }

    private void requireValid(X509Certificate certificate) throws UnusableCertificate {
        Instant from = certificate.getNotBefore().toInstant();
        Instant until = certificate.getNotAfter().toInstant();
        if (now.isAfter(until)) {
            throw new UnusableCertificate("has a certificate that expired at " + until);
        }
        if (now.isBefore(from)) {
            throw new UnusableCertificate("has a certificate that is not valid before " + from);
        }
    }

    private static void requireMatch(PrivateKey key, X509Certificate certificate)
            throws GeneralSecurityException, UnusableCertificate {
        if (!isFamily(key.getAlgorithm(), certificate.getPublicKey().getAlgorithm()) || !verifies(key, certificate)) {
            throw new UnusableCertificate("has a certificate that does not match the private key: the first certificate"
                    + " must be that of the key");
        }
    }

    private static boolean isFamily(String key, String ofCertificate) {
        return key.equals(ofCertificate) || key.startsWith("RSA") && ofCertificate.startsWith("RSA");
    }

    private static boolean verifies(PrivateKey key, X509Certificate certificate) throws GeneralSecurityException {
        String algorithm = SIGNATURES.get(key.getAlgorithm());
        if (algorithm == null) {
            return true;
        }
        byte[] text = "felice".getBytes(StandardCharsets.US_ASCII);
        Signature signature = Signature.getInstance(algorithm);
        signature.initSign(key);
        signature.update(text);
        byte[] signed = signature.sign();
        signature.initVerify(certificate.getPublicKey());
        signature.update(text);
        return signature.verify(signed);
    }

    // ---- trust ----

    private static KeyStore trustStore(TlsSettings.StoreFile file)
            throws IOException, GeneralSecurityException, UnusableCertificate {
        byte[] bytes = bytes(file.path());
        KeyStore store = isPem(file, bytes)
                ? withCertificates(PemFile.parse(text(bytes), new char[0]).certificates())
                : binary(bytes, file.password().read());
        for (String alias : Collections.list(store.aliases())) {
            if (store.isCertificateEntry(alias)) {
                return store;
            }
        }
        throw new UnusableCertificate("has no certificate to trust");
    }

    private static KeyStore withCertificates(List<X509Certificate> certificates)
            throws IOException, GeneralSecurityException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        for (int i = 0; i < certificates.size(); i++) {
            store.setCertificateEntry("trusted-" + i, certificates.get(i));
        }
        return store;
    }

    // ---- files ----

    private static byte[] bytes(Path file) throws IOException, UnusableCertificate {
        if (Files.size(file) > MOST_BYTES) {
            throw new UnusableCertificate("is larger than " + MOST_BYTES + " bytes");
        }
        return Files.readAllBytes(file);
    }

    private static boolean isPem(TlsSettings.StoreFile file, byte[] bytes) {
        return file.type().isEmpty() ? PemFile.isPem(text(bytes)) : file.type().equals("PEM");
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }

    /** The JDK reads PKCS#12 and JKS alike. Without a password it does not check the file's integrity. */
    private static KeyStore binary(byte[] bytes, char[] password)
            throws IOException, GeneralSecurityException, UnusableCertificate {
        KeyStore store = KeyStore.getInstance("PKCS12");
        try {
            store.load(new ByteArrayInputStream(bytes), password.length == 0 ? null : password);
        } catch (IOException failure) {
            if (failure.getCause() instanceof UnrecoverableKeyException) {
                throw failure;
            }
            throw new UnusableCertificate("is neither PEM nor PKCS#12, or it is damaged");
        }
        return store;
    }
}
