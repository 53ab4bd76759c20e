package io.felice.testkit;

import java.math.BigInteger;
import java.security.Principal;
import java.security.PublicKey;
import java.security.cert.X509Certificate;
import java.util.Collection;
import java.util.Date;
import java.util.List;
import java.util.Set;
import javax.security.auth.x500.X500Principal;

/** A certificate that has names and no keys, for tests of what names mean. Nobody has signed it. */
@SuppressWarnings("deprecation")
public final class NamedCertificate extends X509Certificate {
    private static final long serialVersionUID = 1L;
    private static final int DNS = 2;
    private static final String NO_KEYS = "a NamedCertificate has names and no keys";

    private final X500Principal subject;
    private final transient List<String> hosts;

    /**
     * @param subject a distinguished name such as {@code CN=alice,O=Example}; may be empty
     * @param hosts the subject alternative names of type DNS
     */
    public NamedCertificate(String subject, String... hosts) {
        this.subject = new X500Principal(subject);
        this.hosts = List.of(hosts);
    }

    @Override
    public X500Principal getSubjectX500Principal() {
        return subject;
    }

    @Override
    public Principal getSubjectDN() {
        return subject;
    }

    @Override
    public X500Principal getIssuerX500Principal() {
        return new X500Principal("CN=issuer");
    }

    @Override
    public Principal getIssuerDN() {
        return getIssuerX500Principal();
    }

    @Override
    public Collection<List<?>> getSubjectAlternativeNames() {
        return hosts.isEmpty()
                ? null
                : hosts.stream().<List<?>>map(host -> List.of(DNS, host)).toList();
    }

    @Override
    public int getVersion() {
        return 3;
    }

    @Override
    public BigInteger getSerialNumber() {
        return BigInteger.ONE;
    }

    @Override
    public Date getNotBefore() {
        return new Date(0);
    }

    @Override
    public Date getNotAfter() {
        return new Date(Long.MAX_VALUE);
    }

    @Override
    public void checkValidity() {
        // It is valid for ever.
    }

    @Override
    public void checkValidity(Date date) {
        // It is valid for ever.
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof NamedCertificate that && subject.equals(that.subject) && hosts.equals(that.hosts);
    }

    @Override
    public int hashCode() {
        return subject.hashCode();
    }

    @Override
    public String toString() {
        return "NamedCertificate[" + subject.getName() + " " + hosts + "]";
    }

    @Override
    public int getBasicConstraints() {
        return -1;
    }

    @Override
    public boolean[] getKeyUsage() {
        return null;
    }

    @Override
    public boolean[] getIssuerUniqueID() {
        return null;
    }

    @Override
    public boolean[] getSubjectUniqueID() {
        return null;
    }

    @Override
    public boolean hasUnsupportedCriticalExtension() {
        return false;
    }

    @Override
    public Set<String> getCriticalExtensionOIDs() {
        return Set.of();
    }

    @Override
    public Set<String> getNonCriticalExtensionOIDs() {
        return Set.of();
    }

    @Override
    public byte[] getExtensionValue(String oid) {
        return null;
    }

    @Override
    public byte[] getTBSCertificate() {
        throw new UnsupportedOperationException(NO_KEYS);
    }

    @Override
    public byte[] getSignature() {
        throw new UnsupportedOperationException(NO_KEYS);
    }

    @Override
    public String getSigAlgName() {
        throw new UnsupportedOperationException(NO_KEYS);
    }

    @Override
    public String getSigAlgOID() {
        throw new UnsupportedOperationException(NO_KEYS);
    }

    @Override
    public byte[] getSigAlgParams() {
        throw new UnsupportedOperationException(NO_KEYS);
    }

    @Override
    public byte[] getEncoded() {
        throw new UnsupportedOperationException(NO_KEYS);
    }

    @Override
    public void verify(PublicKey key) {
        throw new UnsupportedOperationException(NO_KEYS);
    }

    @Override
    public void verify(PublicKey key, String provider) {
        throw new UnsupportedOperationException(NO_KEYS);
    }

    @Override
    public PublicKey getPublicKey() {
        throw new UnsupportedOperationException(NO_KEYS);
    }
}
