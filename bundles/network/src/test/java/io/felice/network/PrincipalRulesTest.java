package io.felice.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The rules have the grammar and the results of Apache Kafka's ssl.principal.mapping.rules. */
class PrincipalRulesTest {
    private static final String DOCUMENTED = "RULE:^CN=(.*?),OU=ServiceUsers.*$/$1/,\n"
            + "RULE:^CN=(.*?),OU=(.*?),O=(.*?),L=(.*?),ST=(.*?),C=(.*?)$/$1@$2/L,\n"
            + "RULE:^.*[Cc][Nn]=([a-zA-Z0-9.]*).*$/$1/L,\n"
            + "DEFAULT";

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "CN=serviceuser,OU=ServiceUsers,O=Unknown,L=Unknown,ST=Unknown,C=Unknown | serviceuser",
                "CN=adminUser,OU=Admin,O=Unknown,L=Unknown,ST=Unknown,C=Unknown          | adminuser@admin",
                "O=Unknown,CN=Some.One,C=Unknown                                         | some.one",
                "OU=JavaSoft,O=Sun Microsystems,C=US                              | OU=JavaSoft,O=Sun Microsystems,C=US",
            })
    void theRulesOfTheDocumentationGiveItsNames(String subject, String name) {
        assertThat(PrincipalRules.parse(DOCUMENTED).nameOf(subject)).contains(name);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "RULE:^CN=(.*),OU=(.*)$/$1/U            ; CN=Duke,OU=x        ; DUKE",
                "RULE:^CN=(.*),OU=(.*)$/$2-$1/L         ; CN=Duke,OU=Users    ; users-duke",
                "RULE:^CN=(.*),OU=(.*)$/$1 is $3/       ; CN=Duke,OU=x        ; Duke is $3",
                "RULE:^CN=([^,ADEFLTU,]+)(,.*|$)/$1/    ; CN=duke,OU=x        ; duke",
                "RULE:CN=(\\w+)\\/(\\w+)/$1\\/$2/       ; CN=host/name        ; host/name",
                "'  RULE:^CN=(.*)$/$1/  ,  DEFAULT  '   ; OU=x                ; OU=x",
                "''                                     ; CN=Duke             ; CN=Duke",
            })
    void aRuleReplacesAndChangesLetters(String rules, String subject, String name) {
        assertThat(PrincipalRules.parse(rules).nameOf(subject)).contains(name);
    }

    @Test
    void theFirstRuleThatMatchesIsUsed() {
        PrincipalRules rules = PrincipalRules.parse("RULE:^CN=a.*$/first/,RULE:^CN=(.*)$/second/");

        assertThat(rules.nameOf("CN=ab")).contains("first");
        assertThat(rules.nameOf("CN=bc")).contains("second");
    }

    @Test
    void aRuleMustMatchTheWholeSubject() {
        assertThat(PrincipalRules.parse("RULE:CN=admin/admin/").nameOf("CN=admin,OU=Guests"))
                .isEmpty();
    }

    @Test
    void aSubjectThatNoRuleMatchesHasNoName() {
        assertThat(PrincipalRules.parse("RULE:^CN=(.*?),OU=ServiceUsers.*$/$1/").nameOf("CN=x,OU=Admin"))
                .isEqualTo(Optional.empty());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "default",
                "DEFAUL",
                "DEFAULT/L",
                "DEFAULT/U",
                "RULE:CN=(.*?),OU=ServiceUsers.*/$1",
                "rule:^CN=(.*?),OU=ServiceUsers.*$/$1/",
                "RULE:^CN=(.*?),OU=ServiceUsers.*$/$1/L/U",
                "RULE:^CN=(.*?),OU=ServiceUsers.*$/L",
                "RULE:^CN=(.*?),OU=ServiceUsers.*$/U",
                "RULE:^CN=(.*?),OU=ServiceUsers.*$/LU",
                "RULE:^CN=.*$/$1/",
                "RULE:^CN=(.*$/$1/",
                "RULE:^CN=(.*)$/$/",
            })
    void aRuleThatCannotBeReadIsRefusedInASentence(String rules) {
        assertThatThrownBy(() -> PrincipalRules.parse(rules))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("ssl.principal.mapping.rules: \"" + rules + "\" cannot be read: ");
    }
}
