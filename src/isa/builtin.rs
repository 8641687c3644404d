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
    OpenBracket "[" "- [ mark" "Begins an array: pushes a mark.";
    CloseBracket "]" "mark any1 … anyn ] array" "Ends an array: a new array of the values above the topmost mark.";
    Abs "abs" "num1 abs num2" "The absolute value of a number.";
    Add "add" "num1 num2 add num" "The sum of two numbers.";
    ALoad "aload" "array aload any0 … anyn-1 array" "Pushes all elements of an array, then the array itself.";
    AnchorSearch "anchorsearch" "string seek anchorsearch post match true / string false" "Whether a string starts with another, and if so the rest and the beginning.";
    And "and" "bool1 bool2 and bool / num1 num2 and num" "Logical or bitwise and.";
    Arguments "arguments" "- arguments array" "The strings that the program was given when it was started.";
    Array "array" "num array array" "A new array of so many nulls.";
    AStore "astore" "any0 … anyn-1 array astore array" "Stores values from the stack in an array, from its last element to its first.";
    Atan "atan" "num den atan angle" "The angle, in degrees from 0 up to 360, whose tangent is a quotient.";
    Begin "begin" "dict begin -" "Pushes a dictionary on the dictionary stack.";
    Bind "bind" "proc1 bind proc2" "A procedure in which names of operators are replaced by the operators.";
    BitShift "bitshift" "num1 shift bitshift num2" "A whole number shifted to the left, or to the right if the shift is negative.";
    Ceiling "ceiling" "num1 ceiling num2" "The least whole number that is not below a number.";
    Clear "clear" "any1 … anyn clear -" "Discards all values on the operand stack.";
    ClearToMark "cleartomark" "mark any1 … anyn cleartomark -" "Discards the values above the topmost mark, and the mark.";
    Copy "copy" "any1 … anyn n copy any1 … anyn any1 … anyn / object1 object2 copy object3" "Doubles the uppermost values, or copies the contents of an array, dictionary or string into another.";
    Cos "cos" "angle cos num" "The cosine of an angle in degrees.";
    Count "count" "any1 … anyn count any1 … anyn n" "The number of values on the operand stack.";
    CountDictStack "countdictstack" "- countdictstack num" "The number of dictionaries on the dictionary stack.";
    CountExecStack "countexecstack" "- countexecstack num" "The number of entries of the execution stack.";
    CountToMark "counttomark" "mark any1 … anyn counttomark mark any1 … anyn n" "The number of values above the topmost mark.";
    CurrentDict "currentdict" "- currentdict dict" "The dictionary on top of the dictionary stack.";
    CurrentTrace "currenttrace" "- currenttrace bool" "Whether execution is being traced.";
    Cvi "cvi" "num1 cvi num2 / string cvi num" "A number, or one written in a string, without its fraction.";
    Cvr "cvr" "num cvr num / string cvr num" "A number, or one written in a string.";
    Cvs "cvs" "any string1 cvs string2" "Writes the text of a value into a string; the part of it that was written.";
    Def "def" "key value def -" "Stores a value under a key in the current dictionary.";
    Dict "dict" "- dict dict" "A new, empty dictionary.";
    Div "div" "num1 num2 div num" "The first number divided by the second.";
    Dup "dup" "any dup any any" "Doubles the top of the operand stack.";
    End "end" "- end -" "Removes the current dictionary from the dictionary stack.";
    Eq "eq" "any1 any2 eq bool" "Whether two values are equal.";
    Exch "exch" "any1 any2 exch any2 any1" "Exchanges the two values on top of the operand stack.";
    Exec "exec" "any exec -" "Executes a procedure or operator; pushes any other value back.";
    Exit "exit" "- exit -" "Ends the innermost loop.";
    Exp "exp" "base exponent exp num" "A number raised to a power.";
    Floor "floor" "num1 floor num2" "The greatest whole number that is not above a number.";
    For "for" "initial increment limit proc for -" "Executes a procedure for each value of an arithmetic progression.";
    ForAll "forall" "array proc forall - / dict proc forall - / string proc forall -" "Executes a procedure for each element of an array, dictionary, procedure or string.";
    Ge "ge" "num1 num2 ge bool / string1 string2 ge bool" "Whether a number or string is not less than another.";
    Get "get" "dict key get any / array index get any / string index get num" "The value under a key of a dictionary, or the element at an index of an array, procedure or string.";
    GetInterval "getinterval" "array1 index count getinterval array2 / string1 index count getinterval string2" "A part of an array or string, which shares its elements.";
    Gt "gt" "num1 num2 gt bool / string1 string2 gt bool" "Whether a number or string is greater than another.";
    IDiv "idiv" "num1 num2 idiv num" "The quotient of two whole numbers, without its fraction.";
    If "if" "bool proc if -" "Executes a procedure when a condition is true.";
    IfElse "ifelse" "bool proc1 proc2 ifelse -" "Executes the first procedure when a condition is true, else the second.";
    Index "index" "anyn … any0 n index anyn … any0 anyn" "Copies a value from within the operand stack to its top.";
    Known "known" "dict key known bool" "Whether a dictionary holds a key.";
    Le "le" "num1 num2 le bool / string1 string2 le bool" "Whether a number or string is not greater than another.";
    Length "length" "object length num" "The number of elements of an array, procedure or string, or of entries of a dictionary.";
    Ln "ln" "num1 ln num2" "The natural logarithm of a number.";
    Load "load" "key load any" "The value under a key, looked up through the dictionary stack.";
    Log "log" "num1 log num2" "The logarithm of a number to the base 10.";
    Loop "loop" "proc loop -" "Executes a procedure over and over.";
    Lt "lt" "num1 num2 lt bool / string1 string2 lt bool" "Whether a number or string is less than another.";
    Mark "mark" "- mark mark" "Pushes a mark.";
    Mod "mod" "num1 num2 mod num" "The remainder of the division of two whole numbers, with the sign of the first.";
    Mul "mul" "num1 num2 mul num" "The product of two numbers.";
    Ne "ne" "any1 any2 ne bool" "Whether two values differ.";
    Neg "neg" "num1 neg num2" "A number with the other sign.";
    Not "not" "bool1 not bool2 / num1 not num2" "Logical or bitwise negation.";
    Null "null" "- null null" "Pushes the null value.";
    Or "or" "bool1 bool2 or bool / num1 num2 or num" "Logical or bitwise inclusive or.";
    Pop "pop" "any pop -" "Discards the top of the operand stack.";
    Print "print" "any print -" "Writes a value's text and a line feed to standard output.";
    Put "put" "dict key any put - / array index any put - / string index num put -" "Stores a value under a key of a dictionary, or at an index of an array or string.";
    PutInterval "putinterval" "array1 index array2 putinterval - / string1 index string2 putinterval -" "Copies an array or string into a part of another.";
    Quit "quit" "- quit -" "Ends the program.";
    Rand "rand" "- rand num" "The next pseudo-random whole number.";
    ReadLine "readline" "- readline string true / false" "The next line of standard input.";
    Repeat "repeat" "num proc repeat -" "Executes a procedure a number of times.";
    Roll "roll" "anyn-1 … any0 n j roll anyj-1 … any0 anyn-1 … anyj" "Moves the uppermost values round in a circle.";
    Round "round" "num1 round num2" "The whole number nearest to a number; of two that are equally near, the greater.";
    RRand "rrand" "- rrand num" "The state of the generator of pseudo-random numbers.";
    Search "search" "string seek search post match pre true / string false" "The first place where a string contains another, and if so what is after, there, and before.";
    Sin "sin" "angle sin num" "The sine of an angle in degrees.";
    Sqrt "sqrt" "num1 sqrt num2" "The square root of a number.";
    SRand "srand" "num srand -" "Sets the state of the generator of pseudo-random numbers.";
    Stack "stack" "- stack -" "Writes the whole operand stack, top first, one value a line, and leaves it as it is.";
    Stop "stop" "- stop -" "Ends the innermost execution by `stopped`.";
    Stopped "stopped" "any stopped bool" "Executes a value, and tells whether it ended by an error or `stop`.";
    Store "store" "key value store -" "Replaces the value under a key where the dictionary stack has it, else stores it in the current dictionary.";
    String "string" "num string string" "A new string of so many zero bytes.";
    Sub "sub" "num1 num2 sub num" "The first number minus the second.";
    SystemDict "systemdict" "- systemdict dict" "The dictionary of the operators.";
    Trace "trace" "bool trace -" "Turns the tracing of execution on or off.";
    Truncate "truncate" "num1 truncate num2" "A number without its fraction.";
    Type "type" "any type string" "The name of a value's type.";
    Undef "undef" "dict key undef -" "Removes a key from a dictionary.";
    Where "where" "key where dict true / false" "Whether a key is in a dictionary of the dictionary stack, and in which first.";
    Write "write" "any write -" "Writes a value's text to standard output, without a line feed.";
    Xor "xor" "bool1 bool2 xor bool / num1 num2 xor num" "Logical or bitwise exclusive or.";
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
