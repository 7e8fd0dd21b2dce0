//! The FHIRPath of patches: elements, and conditions in `where()`.

use std::fmt;

/// How deep conditions may be nested.
const DEEPEST: usize = 16;

/// A path to elements of a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Expression {
    pub(super) steps: Vec<Step>,
    text: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Name(String),
    Index(usize),
    Where(Condition),
    First,
    Last,
    Single,
    OfType(String),
    /// Extensions with this URL.
    Extension(String),
}

/// A condition on an element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    Exists(Vec<Step>),
    Equal(Operand, Operand),
    /// The value itself is what is true or false.
    Is(Operand),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Operand {
    /// Elements of the element that the condition is on.
    Path(Vec<Step>),
    Count(Vec<Step>),
    Text(String),
    Number(String),
    Flag(bool),
}

/// Why a text is no expression.
#[derive(Debug)]
pub(super) struct ExpressionError {
    pub(super) text: String,
    /// Whether it is FHIRPath that is not offered.
    pub(super) is_not_offered: bool,
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Expression {
    pub(super) fn parse(text: &str) -> Result<Self, ExpressionError> {
        let mut parser = Parser { tokens: tokens(text).map_err(|why| broken(text, &why))?, at: 0, depth: 0 };
        let parsed = parser.path().and_then(|(steps, end)| match end {
            _ if parser.at < parser.tokens.len() => Err(parser.unexpected()),
            Some(end) => Err(Fault::Broken(format!("{}() gives no element", end.name()))),
            None => Ok(steps),
        });
        match parsed {
            Ok(steps) => Ok(Self { steps, text: text.to_owned() }),
            Err(Fault::Broken(why)) => Err(broken(text, &why)),
            Err(Fault::NotOffered(what)) => {
                let text = format!("hlctl-emulator does not model {what} in the FHIRPath of patches: \"{text}\"");
                Err(ExpressionError { text, is_not_offered: true })
            }
        }
    }

    /// The path of what has the element that this path ends with, and that element's name; `None` if it does not end with a name.
    pub(super) fn split_last(&self) -> Option<(Self, &str)> {
        let (Step::Name(name), before) = self.steps.split_last()? else { return None };
        Some((Self { steps: before.to_vec(), text: self.text.clone() }, name))
    }
}

fn broken(text: &str, why: &str) -> ExpressionError {
    ExpressionError { text: format!("\"{text}\" is no path: {why}"), is_not_offered: false }
}

enum Fault {
    Broken(String),
    NotOffered(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Name(String),
    Text(String),
    Number(String),
    This,
    /// `.`, `(`, `)`, `[`, `]`, `=`, or the first of another operator.
    Mark(char),
    Unequal,
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let taken = |more: fn(char) -> bool| rest.find(|c| !more(c)).unwrap_or(rest.len());
        let (token, length) = match first {
            ' ' | '\t' | '\r' | '\n' => {
                rest = rest.trim_start();
                continue;
            }
            'a'..='z' | 'A'..='Z' | '_' => {
                let length = taken(|c| c.is_ascii_alphanumeric() || c == '_');
                (Token::Name(rest[..length].to_owned()), length)
            }
            '0'..='9' => {
                let whole = taken(|c| c.is_ascii_digit());
                // A dot belongs to the number where a digit follows.
                let fraction = rest[whole..].strip_prefix('.').map_or(0, |more| {
                    let digits = more.find(|c: char| !c.is_ascii_digit()).unwrap_or(more.len());
                    if digits > 0 { digits + 1 } else { 0 }
                });
                (Token::Number(rest[..whole + fraction].to_owned()), whole + fraction)
            }
            '\'' | '`' => {
                let (inner, length) = quoted(rest, first)?;
                (if first == '`' { Token::Name(inner) } else { Token::Text(inner) }, length)
            }
            '$' => {
                let length = 1 + rest[1..].find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len() - 1);
                match &rest[..length] {
                    "$this" => (Token::This, length),
                    other => return Err(format!("{other} is not known")),
                }
            }
            '!' if rest.starts_with("!=") => (Token::Unequal, 2),
            mark => (Token::Mark(mark), mark.len_utf8()),
        };
        tokens.push(token);
        rest = &rest[length..];
    }
    Ok(tokens)
}

/// A text in quotation marks, and how long it is with them.
fn quoted(text: &str, mark: char) -> Result<(String, usize), String> {
    let mut inner = String::new();
    let mut characters = text.char_indices().skip(1);
    while let Some((place, character)) = characters.next() {
        match character {
            c if c == mark => return Ok((inner, place + 1)),
            '\\' => match characters.next().map(|(_, escaped)| escaped) {
                Some('n') => inner.push('\n'),
                Some('r') => inner.push('\r'),
                Some('t') => inner.push('\t'),
                Some('f') => inner.push('\u{c}'),
                Some(c @ ('\'' | '"' | '`' | '\\' | '/')) => inner.push(c),
                _ => return Err("an escape is not known".to_owned()),
            },
            c => inner.push(c),
        }
    }
    Err(format!("{mark} is not closed"))
}

/// A function at the end of a path that gives no elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Exists,
    Empty,
    Count,
    Not,
}

impl End {
    fn name(self) -> &'static str {
        match self {
            Self::Exists => "exists",
            Self::Empty => "empty",
            Self::Count => "count",
            Self::Not => "not",
        }
    }
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

type Parsed<T> = Result<T, Fault>;

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn takes(&mut self, token: &Token) -> bool {
        let takes = self.peek() == Some(token);
        self.at += usize::from(takes);
        takes
    }

    fn want(&mut self, mark: char) -> Parsed<()> {
        if self.takes(&Token::Mark(mark)) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn unexpected(&self) -> Fault {
        match self.peek() {
            None => Fault::Broken("it ends too early".to_owned()),
            Some(Token::Mark(mark @ ('+' | '-' | '*' | '/' | '|' | '&' | '<' | '>' | '~' | '!' | '{' | '@' | '%'))) => {
                Fault::NotOffered(format!("the operator {mark}"))
            }
            Some(Token::Name(name)) => Fault::Broken(format!("{name} is not expected there")),
            Some(token) => Fault::Broken(format!("{} is not expected there", token.text())),
        }
    }

    /// Steps, and the function that ends them.
    fn path(&mut self) -> Parsed<(Vec<Step>, Option<End>)> {
        let mut steps = Vec::new();
        if !self.takes(&Token::This)
            && let Some(end) = self.step(&mut steps)?
        {
            return Ok((steps, Some(end)));
        }
        loop {
            if self.takes(&Token::Mark('[')) {
                let Some(Token::Number(number)) = self.peek().cloned() else { return Err(self.unexpected()) };
                self.at += 1;
                let index = number.parse().map_err(|_| Fault::Broken(format!("[{number}] is no place in a list")))?;
                self.want(']')?;
                steps.push(Step::Index(index));
            } else if self.takes(&Token::Mark('.')) {
                if let Some(end) = self.step(&mut steps)? {
                    return Ok((steps, Some(end)));
                }
            } else {
                return Ok((steps, None));
            }
        }
    }

    /// A name or a function.
    fn step(&mut self, steps: &mut Vec<Step>) -> Parsed<Option<End>> {
        let Some(Token::Name(name)) = self.peek().cloned() else { return Err(self.unexpected()) };
        self.at += 1;
        if !self.takes(&Token::Mark('(')) {
            steps.push(Step::Name(name));
            return Ok(None);
        }
        let mut end = None;
        match name.as_str() {
            "where" => steps.push(Step::Where(self.condition()?)),
            "first" => steps.push(Step::First),
            "last" => steps.push(Step::Last),
            "single" => steps.push(Step::Single),
            "exists" if self.peek() != Some(&Token::Mark(')')) => {
                steps.push(Step::Where(self.condition()?));
                end = Some(End::Exists);
            }
            "exists" => end = Some(End::Exists),
            "empty" => end = Some(End::Empty),
            "count" => end = Some(End::Count),
            "not" => end = Some(End::Not),
            "ofType" | "extension" => {
                let argument = match self.peek().cloned() {
                    Some(Token::Name(of)) if name == "ofType" => Step::OfType(of),
                    Some(Token::Text(url)) if name == "extension" => Step::Extension(url),
                    _ => return Err(self.unexpected()),
                };
                self.at += 1;
                steps.push(argument);
            }
            other => return Err(Fault::NotOffered(format!("the function {other}()"))),
        }
        self.want(')')?;
        Ok(end)
    }

    fn condition(&mut self) -> Parsed<Condition> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(Fault::Broken(format!("conditions are nested deeper than {DEEPEST} levels")));
        }
        let condition =
            self.joined("or", |parser| parser.joined("and", Self::comparison, Condition::All), Condition::Any);
        self.depth -= 1;
        condition
    }

    fn joined(
        &mut self,
        word: &str,
        part: impl Fn(&mut Self) -> Parsed<Condition>,
        join: fn(Vec<Condition>) -> Condition,
    ) -> Parsed<Condition> {
        let first = part(self)?;
        let mut all = vec![first];
        while self.takes(&Token::Name(word.to_owned())) {
            all.push(part(self)?);
        }
        match (all.len(), all.pop()) {
            (1, Some(only)) => Ok(only),
            (_, last) => {
                all.extend(last);
                Ok(join(all))
            }
        }
    }

    fn comparison(&mut self) -> Parsed<Condition> {
        if self.takes(&Token::Mark('(')) {
            let inner = self.condition()?;
            self.want(')')?;
            return self.negated(inner);
        }
        let left = match self.operand()? {
            Ok(operand) => operand,
            Err(condition) => return self.negated(condition),
        };
        let is_equal = self.takes(&Token::Mark('='));
        if !is_equal && !self.takes(&Token::Unequal) {
            return match self.peek() {
                None | Some(Token::Mark(')') | Token::Name(_)) => self.negated(Condition::Is(left)),
                Some(_) => Err(self.unexpected()),
            };
        }
        let right = self
            .operand()?
            .map_err(|_| Fault::NotOffered("a condition as what another is compared with".to_owned()))?;
        let equal = Condition::Equal(left, right);
        Ok(if is_equal { equal } else { Condition::Not(Box::new(equal)) })
    }

    /// `.not()` after a condition.
    fn negated(&mut self, condition: Condition) -> Parsed<Condition> {
        if !self.takes(&Token::Mark('.')) {
            return Ok(condition);
        }
        match self.step(&mut Vec::new())? {
            Some(End::Not) => Ok(Condition::Not(Box::new(condition))),
            _ => Err(Fault::NotOffered("a path that continues after a condition".to_owned())),
        }
    }

    /// A value, or a condition that a path ends in.
    fn operand(&mut self) -> Parsed<Result<Operand, Condition>> {
        let literal = match self.peek() {
            Some(Token::Text(text)) => Some(Operand::Text(text.clone())),
            Some(Token::Number(number)) => Some(Operand::Number(number.clone())),
            Some(Token::Name(name)) if name == "true" || name == "false" => Some(Operand::Flag(name == "true")),
            _ => None,
        };
        if let Some(literal) = literal {
            self.at += 1;
            return Ok(Ok(literal));
        }
        let (steps, end) = self.path()?;
        Ok(match end {
            None => Ok(Operand::Path(steps)),
            Some(End::Count) => Ok(Operand::Count(steps)),
            Some(End::Exists) => Err(Condition::Exists(steps)),
            Some(End::Empty) => Err(Condition::Not(Box::new(Condition::Exists(steps)))),
            Some(End::Not) => Err(Condition::Not(Box::new(Condition::Is(Operand::Path(steps))))),
        })
    }
}

impl Token {
    fn text(&self) -> String {
        match self {
            Self::Name(name) => name.clone(),
            Self::Text(text) => format!("'{text}'"),
            Self::Number(number) => number.clone(),
            Self::This => "$this".to_owned(),
            Self::Mark(mark) => mark.to_string(),
            Self::Unequal => "!=".to_owned(),
        }
    }
}
