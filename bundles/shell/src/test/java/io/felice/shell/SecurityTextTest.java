package io.felice.shell;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.felice.api.security.Acl;
import io.felice.api.security.AclFilter;
import io.felice.api.security.Operation;
import io.felice.api.security.QuotaEntity;
import io.felice.api.security.ResourceType;
import io.felice.shell.text.AclText;
import io.felice.shell.text.Listing;
import io.felice.shell.text.QuotaText;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

class SecurityTextTest {
    private static Acl acl(String operations, String resource) {
        List<Acl> acls = AclText.acls("User:alice", operations, resource, null, true);
        assertThat(acls).hasSize(1);
        return acls.get(0);
    }

    private static String printed(Listing listing, boolean asJson) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        KarafTable.print(listing, new PrintStream(bytes, true, StandardCharsets.UTF_8), asJson, "(nothing)");
        return bytes.toString(StandardCharsets.UTF_8);
    }

    @Test
    void aResourceIsATypeAndANameAndAStarAtItsEndMakesItAPrefix() {
        assertThat(acl("read", "topic:orders").name()).isEqualTo("orders");
        assertThat(acl("read", "topic:orders").pattern()).isEqualTo(Acl.Pattern.LITERAL);
        assertThat(acl("read", "topic:orders-*").name()).isEqualTo("orders-");
        assertThat(acl("read", "topic:orders-*").pattern()).isEqualTo(Acl.Pattern.PREFIXED);
        assertThat(acl("read", "group:*").name()).isEqualTo(Acl.ANY);
        assertThat(acl("read", "group:*").pattern()).isEqualTo(Acl.Pattern.LITERAL);
        assertThat(acl("write", "transactional-id:t").type()).isEqualTo(ResourceType.TRANSACTIONAL_ID);
        assertThat(acl("describe-configs", "cluster").name()).isEqualTo(ResourceType.CLUSTER_NAME);
        assertThat(acl("describe-configs", "cluster").operation()).isEqualTo(Operation.DESCRIBE_CONFIGS);
    }

    @Test
    void aNameWithControlCharactersHidesAndForgesNoRow() throws IOException {
        Listing listing = new Listing("principal", "rule");
        listing.row("User:eve\n\0\u001b[2J", "allow");

        assertThat(printed(listing, false)).contains("User:eve???[2J");
    }

    @Test
    void whatCannotBeReadIsRefusedWithASentence() {
        assertThatThrownBy(() -> acl("read", "orders")).hasMessageContaining("\"orders\" is no resource");
        assertThatThrownBy(() -> acl("read", "topic:")).hasMessageContaining("write topic:NAME");
        assertThatThrownBy(() -> acl("reed", "topic:t")).hasMessageContaining("There is no operation \"reed\"");
        assertThatThrownBy(() -> AclText.acls("alice", "read", "topic:t", null, true))
                .hasMessageContaining("\"alice\" is no principal");
        assertThatThrownBy(() -> QuotaText.entity(null, null, null)).hasMessageContaining("Whose quota?");
        assertThatThrownBy(() -> QuotaText.values(List.of("producer_byte_rate")))
                .hasMessageContaining("KEY=VALUE");
        assertThatThrownBy(() -> QuotaText.values(List.of("a=b"))).hasMessageContaining("no number");
    }

    @Test
    void aFilterFindsWhatItsWordsSayAndNothingElse() {
        AclFilter prefixed = AclText.filter("User:alice", "read", "topic:ord*");
        assertThat(prefixed.finds(acl("read", "topic:ord*"))).isTrue();
        assertThat(prefixed.finds(acl("read", "topic:ord"))).isFalse();
        assertThat(prefixed.finds(acl("write", "topic:ord*"))).isFalse();
        assertThat(AclText.filter("User:alice", null, null).finds(acl("write", "group:g")))
                .isTrue();
        assertThat(AclText.filter("User:bob", null, null).finds(acl("write", "group:g")))
                .isFalse();
    }

    @Test
    void aclsArePrintedAsTheyAreTyped() throws IOException {
        String table = printed(AclText.listing(Set.of(acl("read", "topic:orders-*"))), false);
        assertThat(table).contains("User:alice", "allow", "read", "topic:orders-*");
        String json = printed(AclText.listing(Set.of(acl("read", "topic:a\"b"))), true);
        assertThat(json)
                .contains("\"principal\" : \"User:alice\"", "\"resource\" : \"topic:a\\\"b\"", "\"host\" : \"*\"");
        assertThat(printed(AclText.listing(Set.of()), true).trim()).isEqualTo("[ ]");
        assertThat(printed(AclText.listing(Set.of()), false)).contains("(nothing)");
    }

    @Test
    void quotasArePrintedWithTheirNumbers() throws IOException {
        assertThat(QuotaText.values(List.of("producer_byte_rate=1e6")))
                .isEqualTo(Map.of("producer_byte_rate", Optional.of(1_000_000.0)));
        Listing listing = QuotaText.listing(
                Map.of(new QuotaEntity("alice", null, null), Map.of("producer_byte_rate", 1_000_000.0)));
        assertThat(printed(listing, true)).contains("\"user\" : \"alice\"", "\"value\" : 1000000.0");
    }
}
