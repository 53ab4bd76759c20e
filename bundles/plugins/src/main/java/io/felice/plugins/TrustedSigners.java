package io.felice.plugins;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.CodeSigner;
import java.security.GeneralSecurityException;
import java.security.cert.CertPath;
import java.security.cert.CertPathValidator;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** The certificates whose signatures on jars are trusted. Immutable. */
final class TrustedSigners {
    private final Set<X509Certificate> trusted;

    private TrustedSigners(Set<X509Certificate> trusted) {
        this.trusted = Set.copyOf(trusted);
    }

    static TrustedSigners none() {
        return new TrustedSigners(Set.of());
    }

    /**
     * Reads certificates in PEM.
     *
     * @throws IOException if the file cannot be read or has no certificate
     */
    static TrustedSigners of(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            Set<X509Certificate> read = new HashSet<>();
            for (Certificate each : CertificateFactory.getInstance("X.509").generateCertificates(in)) {
                read.add((X509Certificate) each);
            }
            if (read.isEmpty()) {
                throw new IOException("it has no certificate");
            }
            return new TrustedSigners(read);
        } catch (GeneralSecurityException unreadable) {
            throw new IOException("it has no certificate in PEM", unreadable);
        }
    }

    /** @param signers who signed each file of a jar; empty if a file of it is not signed */
    Signer of(Set<CodeSigner> signers) {
        return signers.stream()
                .map(signer -> new Signer(subject(signer), isTrusted(signer.getSignerCertPath())))
                .reduce((one, other) -> one.isTrusted() ? one : other)
                .orElse(Signer.NOBODY);
    }

    private static String subject(CodeSigner signer) {
        X509Certificate first =
                (X509Certificate) signer.getSignerCertPath().getCertificates().get(0);
        return first.getSubjectX500Principal().getName();
    }

    /** A signature stays good when its certificate has expired: a plugin must not stop running by itself. */
    private boolean isTrusted(CertPath path) {
        List<? extends Certificate> chain = path.getCertificates();
        if (trusted.isEmpty()) {
            return false;
        }
        if (chain.stream().anyMatch(trusted::contains) && isChain(chain)) {
            return true;
        }
        try {
            X509Certificate first = (X509Certificate) chain.get(0);
            PKIXParameters parameters = new PKIXParameters(Set.copyOf(
                    trusted.stream().map(one -> new TrustAnchor(one, null)).toList()));
            parameters.setRevocationEnabled(false);
            parameters.setDate(first.getNotBefore());
            CertPathValidator.getInstance("PKIX").validate(path, parameters);
            return true;
        } catch (GeneralSecurityException untrusted) {
            return false;
        }
    }

    /** True if each certificate of the chain was signed with the key of the next one. */
    private static boolean isChain(List<? extends Certificate> chain) {
        try {
            for (int i = 0; i + 1 < chain.size(); i++) {
                chain.get(i).verify(chain.get(i + 1).getPublicKey());
            }
            return true;
        } catch (GeneralSecurityException broken) {
            return false;
        }
    }
}
