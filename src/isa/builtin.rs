//! The one table of operators: every operator's name, stack effect and meaning in a sentence.
//!
//! Compiler, linker, machine and reference manual all read it here.

macro_rules! operators {
    ($($variant:ident $name:literal $effect:literal $summary:literal;)*) => {
        /// An operator of the language, found in `systemdict` under its name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Builtin {
            $(#[doc = concat!("`", $effect, "`: ", $summary)] $variant,)*
        }

        impl Builtin {
            /// All operators, by name in ascending order.
            pub const ALL: &'static [Builtin] = &[$(Builtin::$variant,)*];

            /// The operator's name.
            pub const fn name(self) -> &'static str {
                match self { $(Builtin::$variant => $name,)* }
            }

            /// What it takes from the operand stack and what it leaves: `before name after`.
            pub const fn effect(self) -> &'static str {
                match self { $(Builtin::$variant => $effect,)* }
            }

            /// Its meaning in one sentence.
            pub const fn summary(self) -> &'static str {
                match self { $(Builtin::$variant => $summary,)* }
            }

            /// The operator of this name.
            pub fn lookup(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

operators! {
    Add "add" "num1 num2 add num" "The sum of two numbers.";
    Begin "begin" "dict begin -" "Pushes a dictionary on the dictionary stack.";
    CurrentDict "currentdict" "- currentdict dict" "The dictionary on top of the dictionary stack.";
    CurrentTrace "currenttrace" "- currenttrace bool" "Whether execution is being traced.";
    Def "def" "key value def -" "Stores a value under a key in the current dictionary.";
    Dict "dict" "- dict dict" "A new, empty dictionary.";
    Div "div" "num1 num2 div num" "The first number divided by the second.";
    Dup "dup" "any dup any any" "Doubles the top of the operand stack.";
    End "end" "- end -" "Removes the current dictionary from the dictionary stack.";
    Eq "eq" "any1 any2 eq bool" "Whether two values are equal.";
    Exch "exch" "any1 any2 exch any2 any1" "Exchanges the two values on top of the operand stack.";
    Exec "exec" "any exec -" "Executes a procedure or operator; pushes any other value back.";
    For "for" "initial increment limit proc for -" "Executes a procedure for each value of an arithmetic progression.";
    Get "get" "dict key get any" "The value under a key of a dictionary, or the element at an index of a procedure or string.";
    If "if" "bool proc if -" "Executes a procedure when a condition is true.";
    IfElse "ifelse" "bool proc1 proc2 ifelse -" "Executes the first procedure when a condition is true, else the second.";
    Known "known" "dict key known bool" "Whether a dictionary holds a key.";
    Mul "mul" "num1 num2 mul num" "The product of two numbers.";
    Ne "ne" "any1 any2 ne bool" "Whether two values differ.";
    Pop "pop" "any pop -" "Discards the top of the operand stack.";
    Print "print" "any print -" "Writes a value's text and a line feed to standard output.";
    Stack "stack" "- stack -" "Writes the whole operand stack, top first, one value a line, and leaves it as it is.";
    Sub "sub" "num1 num2 sub num" "The first number minus the second.";
    SystemDict "systemdict" "- systemdict dict" "The dictionary of the operators.";
    Trace "trace" "bool trace -" "Turns the tracing of execution on or off.";
    Write "write" "any write -" "Writes a value's text to standard output, without a line feed.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operator_is_found_by_its_name() {
        assert!(Builtin::ALL.is_sorted_by_key(|builtin| builtin.name()));
        for builtin in Builtin::ALL {
            assert_eq!(Builtin::lookup(builtin.name()), Some(*builtin));
            assert!(builtin.effect().contains(builtin.name()));
            assert!(crate::name::is_callable(builtin.name()));
        }
        assert_eq!(Builtin::lookup("nothing"), None);
    }
}
