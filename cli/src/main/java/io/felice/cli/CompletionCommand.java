package io.felice.cli;

import java.util.concurrent.Callable;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code felice completion}. */
@Command(
        name = "completion",
        description = "Prints what bash or zsh needs to complete commands, options, topics and groups.",
        footer = {
            "",
            "  source <(felice completion bash)      in ~/.bashrc",
            "  source <(felice completion zsh)       in ~/.zshrc"
        })
final class CompletionCommand implements Callable<Integer> {
    /**
     * Where picocli's script has nothing to offer, the names of topics or groups are asked for, for a second at most, and kept
     * for ten.
     */
    private static final String NAMES =
            """

            _felice_names() {
              local kind=$1 now=$SECONDS
              if [ "${_felice_kind:-}" != "$kind" ] || [ $((now - ${_felice_asked:-0})) -gt 10 ]; then
                _felice_known=$(FELICE_TIMEOUT=800ms timeout 2 felice "$kind" list -o name 2>/dev/null </dev/null)
                _felice_kind=$kind _felice_asked=$now
              fi
              COMPREPLY=( $(compgen -W "$_felice_known" -- "${COMP_WORDS[COMP_CWORD]}") )
            }

            _felice_all() {
              COMPREPLY=()
              _complete_felice "$@"
              local word=${COMP_WORDS[COMP_CWORD]}
              [ ${#COMPREPLY[@]} -gt 0 ] || [[ $word == -* ]] && return 0
              case "${COMP_WORDS[1]:-} ${COMP_WORDS[2]:-}" in
                "topic describe"|"topic alter"|"topic delete"|"topic purge"|"bench produce"|"bench consume")
                  [ "$COMP_CWORD" -lt 3 ] || _felice_names topic ;;
                "produce "*|"consume "*) _felice_names topic ;;
                "group describe"|"group reset"|"group delete") [ "$COMP_CWORD" -lt 3 ] || _felice_names group ;;
              esac
              return 0
            }

            complete -F _felice_all -o default felice
            """;

    @Spec
    CommandSpec spec;

    @Parameters(paramLabel = "SHELL", description = "bash or zsh.")
    String shell;

    private final Terminal terminal;

    CompletionCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() {
        if (!shell.equals("bash") && !shell.equals("zsh")) {
            throw CliFailure.usage("There is no completion for " + shell + ".", "Use bash or zsh.");
        }
        CommandLine felice = spec.root().commandLine();
        NodeCommands.addTo(felice);
        terminal.out().print(AutoComplete.bash("felice", felice));
        terminal.out().print(NAMES);
        return 0;
    }
}
