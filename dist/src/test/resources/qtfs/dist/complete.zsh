# complete.zsh FUNCTIONS LINE: prints what LINE becomes when Tab is pressed behind it in a zsh with those completions.
zmodload zsh/zpty
result=$(mktemp)
zpty shell "PS1= zsh -f -i"
zpty -w shell "fpath=(${(q)1} \$fpath); autoload -Uz compinit && compinit -D -u
finish() { print -r -- \"\$BUFFER\" >| ${(q)result}; exit }
zle -N finish
bindkey '^T' finish
bindkey '^I' complete-word
setopt no_beep
PATH=${(q)PATH}"
zpty -w -n shell "$2"$'\t\x14'
until [[ -s $result ]]; do
	zpty -t shell || break
	zpty -r shell line 2>/dev/null || break
done
cat $result
rm -f $result
